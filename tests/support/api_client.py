"""Asking the API in a line: one answer, or a whole list page by page."""

from __future__ import annotations

from typing import Any

import httpx


def get(client: httpx.Client, path: str, **given: Any) -> Any:
    """The JSON of a successful answer; `from_` is the parameter `from`."""
    answer = client.get(path, params={name.rstrip("_"): value for name, value in given.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


def walk(client: httpx.Client, path: str, limit: int, **given: Any) -> list[Any]:
    """All items of a list, page by page."""
    items: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = get(client, path, limit=limit, **given, **cursor)
        assert len(page["items"]) <= limit
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = {"cursor": page["next"]}
