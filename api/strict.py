"""Refuses query parameters that a route does not know: a typo must not mean "no filter"."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute


class StrictRoute(APIRoute):
    """A route that answers 422 for unknown query parameters, together with all other mistakes."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = {field.alias for field in get_flat_params(self.dependant)}

        async def strict(request: Request) -> Response:
            unknown = [_mistake(name, known) for name in request.query_params if name not in known]
            if not unknown:
                return await handle(request)
            try:
                await handle(request)
            except RequestValidationError as error:
                raise RequestValidationError([*error.errors(), *unknown]) from error
            raise RequestValidationError(unknown)

        return strict


def _mistake(name: str, known: set[str]) -> dict[str, Any]:
    message = f"unknown parameter; known: {', '.join(sorted(known))}"
    return {"type": "extra_forbidden", "loc": ("query", name), "msg": message, "input": name}
