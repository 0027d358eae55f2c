"""Logging in at an OpenID Connect issuer: there and back."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse

from api.access import secret
from api.access.arrival import arrived
from api.access.guard import Guard, address_of, guard_of
from api.access.login import Login
from api.access.oidc import Issuer, NotVouched
from api.problem import RESPONSES, Problem
from api.routers.session import login_of, set_session

COOKIE = "citybrain_oidc"
LASTS_S = 600

router = APIRouter(prefix="/session/oidc", tags=["session"], responses=RESPONSES)


def issuer(request: Request) -> Issuer:
    """Dependency: the issuer; `Problem` 404 when there is none."""
    found: Issuer | None = request.app.state.issuer
    if found is None:
        raise Problem(404, "There is no login by OpenID Connect: CITYBRAIN_OIDC_ISSUER is not set.")
    return found


@router.get(
    "",
    status_code=303,
    response_class=RedirectResponse,
    summary="Log in at the issuer",
    description="Sends the browser to the OpenID Connect issuer; `to` is where it comes back.",
)
async def leave(
    request: Request,
    there: Annotated[Issuer, Depends(issuer)],
    to: Annotated[str, Query(max_length=500, description="A path of ours.")] = "/",
) -> RedirectResponse:
    flow = secret.make_token()
    answer = RedirectResponse(await there.address(flow), 303)
    answer.set_cookie(
        flow_cookie(request),
        f"{flow}.{base64.urlsafe_b64encode(own_path(to).encode()).decode()}",
        max_age=LASTS_S,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
        path="/",
    )
    return answer


@router.get(
    "/callback",
    status_code=303,
    response_class=RedirectResponse,
    summary="Back from the issuer",
    description="Only a browser that began here comes in. 401 says why not, as a page to who asks "
    "for text/html.",
)
async def back(
    request: Request,
    there: Annotated[Issuer, Depends(issuer)],
    login: Annotated[Login, Depends(login_of)],
    guard: Annotated[Guard, Depends(guard_of)],
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str | None, Query(max_length=4000)] = None,
    error: Annotated[str | None, Query(max_length=200)] = None,
) -> RedirectResponse:
    flow, to = begun_here(request)
    if not secret.same(state, secret.derived(flow, "state")):
        said = "This answer belongs to another login: begin again."
        raise Problem(401, said, zh="该答复属于另一次登录，请重新登录。")
    if error is not None or code is None:
        said = f"The issuer let nobody in: {error or 'no code'}."
        raise Problem(401, said, zh="身份提供方未放行。")
    try:
        person = await there.person(code, flow)
        row = await arrived(guard, person, address_of(request))
    except NotVouched as failed:
        raise Problem(401, f"Login by OpenID Connect: {failed}.", zh=failed.zh) from failed
    answer = RedirectResponse(to, 303)
    answer.delete_cookie(flow_cookie(request), path="/")
    set_session(request, answer, await login.begin(row, "oidc", address_of(request)), guard)
    return answer


def begun_here(request: Request) -> tuple[str, str]:
    """The secret of this browser's login and where it goes back to. `Problem` 401 without one."""
    flow, _, path = request.cookies.get(flow_cookie(request), "").partition(".")
    if not flow:
        said = "No login was begun in this browser, or it took too long: begin again."
        raise Problem(401, said, zh="本浏览器没有发起登录，或登录超时，请重新登录。")
    try:
        return flow, own_path(base64.urlsafe_b64decode(path.encode()).decode())
    except (binascii.Error, ValueError):
        return flow, "/"


def own_path(text: str) -> str:
    """A path of ours; the start page for anything else."""
    ours = text.startswith("/") and not text.startswith(("//", "/\\"))
    return text if ours and text.isprintable() else "/"


def flow_cookie(request: Request) -> str:
    """Named like the session's."""
    return f"__Host-{COOKIE}" if request.url.scheme == "https" else COOKIE
