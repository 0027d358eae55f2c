"""Who am I, log in, log out, change the password."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from api.access import secret
from api.access.caller import ANONYMOUS, Caller
from api.access.guard import (
    CSRF,
    CSRF_HEADER,
    Guard,
    actor,
    address_of,
    cookie_name,
    guard_of,
)
from api.access.login import Login
from api.access.role import Role
from api.actions import sessions
from api.actions.accounts import By
from api.problem import RESPONSES, Problem
from api.strict import StrictRoute

router = APIRouter(
    route_class=StrictRoute, prefix="/session", tags=["session"], responses=RESPONSES
)
NO_STORE = {"cache-control": "no-store"}
Kind = Literal["person", "program", "anybody", "nobody"]
Words = Annotated[SecretStr, Field(max_length=1024)]


class GrantItem(BaseModel):
    """A role in an area and what lies in it."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    area: str = Field(description="Code, or `all`.", max_length=9)


class SessionItem(BaseModel):
    """Who asks, and how one can log in."""

    kind: Kind = Field(description="anybody: reading is open to whoever reaches the API.")
    who: str | None = Field(description="Login of a person, public part of a key.")
    grants: list[GrantItem]
    scopes: list[str] = Field(description="Of a key.")
    csrf: str | None = Field(
        description=f"Send it as `{CSRF_HEADER}` with every change, beside the session's cookie."
    )
    must_change_password: bool
    oidc: str | None = Field(
        description="Name of the other way to log in; null when there is none."
    )


class PasswordLogin(BaseModel):
    """What a person types."""

    model_config = ConfigDict(extra="forbid")

    login: str = Field(max_length=64)
    password: Words


class LinkLogin(BaseModel):
    """What follows `#enter=` in a link that was shown once."""

    model_config = ConfigDict(extra="forbid")

    token: Words


class NewPassword(BaseModel):
    """The old one once more, and the new one."""

    model_config = ConfigDict(extra="forbid")

    old: Words
    new: Words


def login_of(request: Request) -> Login:
    """Dependency: how people log in."""
    found: Login = request.app.state.login
    return found


@router.get(
    "",
    summary="Who am I",
    description="Also without credentials: then it says how to log in.",
)
async def whoami(
    request: Request, response: Response, guard: Annotated[Guard, Depends(guard_of)]
) -> SessionItem:
    response.headers.update(NO_STORE)
    try:
        caller = await guard.identify(request)
    except Problem:  # of an ended session or key: nobody, and the page asks to log in
        caller = None
    return session_item(request, caller, request.cookies.get(cookie_name(request)))


@router.post(
    "",
    summary="Log in",
    description="Sets the session's cookie. 401 when login and password do not fit, 429 after too "
    "many failures.",
)
async def log_in(
    request: Request,
    response: Response,
    given: PasswordLogin,
    login: Annotated[Login, Depends(login_of)],
) -> SessionItem:
    token = await login.by_password(
        given.login, given.password.get_secret_value(), address_of(request)
    )
    return await begun(request, response, token, login.guard)


@router.post(
    "/link",
    summary="Log in by a link",
    description="Links are made by `citybrain up` and `citybrain account link`; each is good once.",
)
async def log_in_by_link(
    request: Request,
    response: Response,
    given: LinkLogin,
    login: Annotated[Login, Depends(login_of)],
) -> SessionItem:
    token = await login.by_link(given.token.get_secret_value(), address_of(request))
    return await begun(request, response, token, login.guard)


@router.delete("", status_code=204, summary="Log out", description="Ends the session.")
async def log_out(
    request: Request,
    response: Response,
    caller: Annotated[Caller, Depends(actor)],
    guard: Annotated[Guard, Depends(guard_of)],
) -> None:
    if caller.session is not None:
        by = By(caller.who, guard.clock(), caller.address)
        async with guard.actions.acting(guard.namespace) as desk:
            await sessions.end(desk, caller.session, by)
    response.delete_cookie(
        cookie_name(request), secure=request.url.scheme == "https", httponly=True, samesite="lax"
    )


@router.post(
    "/password",
    status_code=204,
    summary="Change the password",
    description="All other sessions of the account end.",
)
async def change_password(
    request: Request,
    given: NewPassword,
    caller: Annotated[Caller, Depends(actor)],
    login: Annotated[Login, Depends(login_of)],
) -> None:
    await login.new_password(
        caller.login or "",
        given.old.get_secret_value(),
        given.new.get_secret_value(),
        caller.session,
        address_of(request),
    )


async def begun(request: Request, response: Response, token: str, guard: Guard) -> SessionItem:
    """The answer that brings a new session."""
    set_session(request, response, token, guard)
    caller = await guard.by_session(token, address_of(request))
    return session_item(request, caller, token)


def set_session(request: Request, response: Response, token: str, guard: Guard) -> None:
    """The cookie: unknown to scripts, not sent with other sites' forms, over https only there."""
    response.headers.update(NO_STORE)
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=int(guard.settings.longest.total_seconds()),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
        path="/",
    )


def session_item(request: Request, caller: Caller | None, token: str | None) -> SessionItem:
    """For the page."""
    settings = guard_of(request).settings
    scopes = [] if caller is None or caller.key is None else sorted(caller.key[0])
    return SessionItem(
        kind=kind_of(caller),
        who=None if caller is None or caller.who == ANONYMOUS else caller.who.partition(":")[2],
        grants=[GrantItem(role=g.role, area=g.area) for g in caller.grants] if caller else [],
        scopes=[str(scope) for scope in scopes],
        csrf=secret.derived(token, CSRF) if token and caller and caller.session else None,
        must_change_password=caller is not None and caller.must_change_password,
        oidc=settings.oidc_name if settings.has_oidc else None,
    )


def kind_of(caller: Caller | None) -> Kind:
    """What sort of caller it is."""
    if caller is None:
        return "nobody"
    if caller.key is not None:
        return "program"
    return "anybody" if caller.who == ANONYMOUS else "person"
