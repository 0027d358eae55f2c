"""Every error of the API is a problem document (RFC 9457), made here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api.queries.database import Unanswerable, UnknownNamespace
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

    def __init__(self, status: int, detail: str, errors: Sequence[Mistake] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)


def not_found(what: str, key: str) -> Problem:
    """404: this thing does not exist in the namespace."""
    return Problem(404, f"There is no {what} {key!r} in this namespace.")


def bad_parameter(name: str, detail: str) -> Problem:
    """422 for one query parameter."""
    return Problem(
        422, "The request has a mistake.", [Mistake(parameter=f"query.{name}", detail=detail)]
    )


def gone(detail: str, snapshot: str) -> Problem:
    """410: nobody can go on from there; `snapshot` is the path where to begin anew."""
    problem = Problem(410, f"{detail} Begin anew with {snapshot} and follow its `cursor`.")
    problem.snapshot = snapshot
    return problem


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemDocument, "description": text, "content": {MEDIA_TYPE: {}}}
    for status, text in (
        (404, "No such namespace or thing."),
        (422, "Wrong parameters, all listed."),
        (503, "The database does not answer; try again."),
    )
}


def install(app: FastAPI) -> None:
    """Answers every kind of error with a problem document."""

    @app.exception_handler(Problem)
    def _problem(request: Request, error: Problem) -> JSONResponse:
        return respond(request, error.status, error.detail, error.errors, snapshot=error.snapshot)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        mistakes = [
            Mistake(parameter=".".join(str(part) for part in each["loc"]), detail=each["msg"])
            for each in error.errors()
        ]
        plural = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        return respond(request, 422, f"The request has {plural}.", mistakes)

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> JSONResponse:
        return respond(request, error.status_code, str(error.detail), headers=error.headers)

    @app.exception_handler(UnknownNamespace)
    def _namespace(request: Request, error: UnknownNamespace) -> JSONResponse:
        return respond(request, 404, f"There is no namespace {error.args[0]!r}.")

    @app.exception_handler(Unanswerable)
    def _unanswerable(request: Request, error: Unanswerable) -> JSONResponse:
        return respond(request, 422, f"A parameter cannot be used: {error}.")

    @app.exception_handler(Unavailable)
    def _unavailable(request: Request, error: Unavailable) -> JSONResponse:
        return respond(request, 503, str(error), headers={"Retry-After": "2"})


def respond(
    request: Request,
    status: int,
    detail: str,
    errors: Sequence[Mistake] = (),
    headers: Mapping[str, str] | None = None,
    snapshot: str | None = None,
) -> JSONResponse:
    """The document as a response."""
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
