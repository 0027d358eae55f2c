"""Every error of the API is a problem document (RFC 9457), made here and nowhere else; a page where
a browser was sent to log in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api.actions.refusal import Conflict, Refused, Unknown
from api.page import refusal_page, wants_page
from api.queries.pool import Unanswerable, UnknownNamespace
from streams.errors import Unavailable

MEDIA_TYPE = "application/problem+json"


class Mistake(BaseModel):
    """One wrong parameter."""

    parameter: str = Field(description="Where it was, e.g. `query.from`.")
    detail: str


class ProblemDocument(BaseModel):
    """RFC 9457 problem details."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    errors: list[Mistake] = Field(
        [], description="All mistakes of the request, when status is 422."
    )
    snapshot: str | None = Field(
        None, description="Where to begin anew, when status is 410: a snapshot with a cursor."
    )


class Problem(Exception):
    """Raised by routes; becomes a problem document. `snapshot`: the way back from 410."""

    snapshot: str | None = None

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[Mistake] = (),
        *,
        headers: Mapping[str, str] | None = None,
        who: str | None = None,
        told: Mapping[str, Any] | None = None,
        unseen: bool = False,
        zh: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = headers
        self.who = who  # for the audit: who is refused, where nobody was let in
        self.told = dict(told or {})  # for the audit only
        self.zh = zh  # the detail in Chinese, for a page
        self.unseen = unseen  # what was named is not there, or not for this caller


def not_found(what: str, key: str) -> Problem:
    """404: this thing does not exist in the namespace."""
    return Problem(404, f"There is no {what} {key!r} in this namespace.", unseen=True)


def bad_parameter(name: str, detail: str, *, unseen: bool = False) -> Problem:
    """422 for one query parameter; `unseen`: it names something that is not there."""
    mistake = Mistake(parameter=f"query.{name}", detail=detail)
    return Problem(422, "The request has a mistake.", [mistake], unseen=unseen)


def gone(detail: str, snapshot: str) -> Problem:
    """410: nobody can go on from there; `snapshot` is the path where to begin anew."""
    problem = Problem(410, f"{detail} Begin anew with {snapshot} and follow its `cursor`.")
    problem.snapshot = snapshot
    return problem


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemDocument, "description": text, "content": {MEDIA_TYPE: {}}}
    for status, text in (
        (401, "No credentials, or none that are good."),
        (403, "Not with these credentials: a role, scope or area is missing."),
        (404, "No such namespace or thing."),
        (422, "Wrong parameters, all listed."),
        (503, "The database does not answer; try again."),
    )
}


def install(app: FastAPI, refused: Callable[[Request, Problem], Awaitable[None]]) -> None:
    """Answers every kind of error with a problem document; `refused` hears of all `Problem`s."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, error: Problem) -> Response:
        await refused(request, error)
        return respond(
            request,
            error.status,
            error.detail,
            error.errors,
            error.headers,
            error.snapshot,
            error.zh,
        )

    @app.exception_handler(Refused)
    def _refused(request: Request, error: Refused) -> Response:
        status = {Unknown: 404, Conflict: 409}.get(type(error), 422)
        return respond(request, status, f"{error}.")

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Response:
        mistakes = [
            Mistake(parameter=".".join(str(part) for part in each["loc"]), detail=each["msg"])
            for each in error.errors()
        ]
        plural = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        return respond(request, 422, f"The request has {plural}.", mistakes)

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        return respond(request, error.status_code, str(error.detail), headers=error.headers)

    @app.exception_handler(UnknownNamespace)
    def _namespace(request: Request, error: UnknownNamespace) -> Response:
        return respond(request, 404, f"There is no namespace {error.args[0]!r}.")

    @app.exception_handler(Unanswerable)
    def _unanswerable(request: Request, error: Unanswerable) -> Response:
        return respond(request, 422, f"A parameter cannot be used: {error}.")

    @app.exception_handler(Unavailable)
    def _unavailable(request: Request, error: Unavailable) -> Response:
        return respond(request, 503, str(error), headers={"Retry-After": "2"})


def respond(
    request: Request,
    status: int,
    detail: str,
    errors: Sequence[Mistake] = (),
    headers: Mapping[str, str] | None = None,
    snapshot: str | None = None,
    zh: str | None = None,
) -> Response:
    """The document as a response, or a page for a person (see `api.page`)."""
    if wants_page(request.url.path, request.headers.get("accept", "")):
        more = {"cache-control": "no-store", "vary": "accept"} | dict(headers or {})
        return HTMLResponse(refusal_page(status, detail, zh), status, more)
    document = ProblemDocument(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=request.url.path,
        errors=list(errors),
        snapshot=snapshot,
    )
    empty = {name for name, held in (("errors", errors), ("snapshot", snapshot)) if not held}
    content = document.model_dump(exclude=empty)
    return JSONResponse(content, status, dict(headers or {}), media_type=MEDIA_TYPE)
