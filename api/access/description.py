"""What the OpenAPI document says of access: how to show who one is, what each route needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.access.guard import COOKIE, CSRF_HEADER, SAFE
from api.access.need import Need

SCHEMES = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "cb_<id>_<secret>",
        "description": "API key of a program: `citybrain api-key create`.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": f"A person's session (`__Host-{COOKIE}` over https).",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "Beside the session, for every change: `csrf` of GET /v1/session.",
    },
}


def install(app: FastAPI, needs: Mapping[str, Need]) -> None:
    """Replaces the app's way to describe itself."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            app.openapi_schema = with_access(found, needs)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def with_access(document: dict[str, Any], needs: Mapping[str, Need]) -> dict[str, Any]:
    """The document with its security schemes, and `security` and `x-citybrain-needs` everywhere."""
    document.setdefault("components", {})["securitySchemes"] = SCHEMES
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            need = needs[f"{method.upper()} {path}"]
            operation["security"] = security(method.upper(), need)
            operation["x-citybrain-needs"] = {
                "role": need.role,
                "scope": need.scope,
                "area": need.of,
                "public": need.public,
            }
    return document


def security(method: str, need: Need) -> list[dict[str, list[str]]]:
    """Which of the schemes let in; `{}` alone: none is needed."""
    if need.public:
        return [{}]
    person: dict[str, list[str]] = {"session": []}
    if method not in SAFE:
        person["csrf"] = []
    return [{"key": []}, person] if need.scope is not None else [person]
