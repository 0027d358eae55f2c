"""Areas that people name when they give access: codes that the registry knows, or `all`."""

from __future__ import annotations

from collections.abc import Iterable

from api.access.role import ALL, is_place
from api.actions.database import Desk


async def mistakes_of(desk: Desk, areas: Iterable[str]) -> list[str]:
    """What is wrong with them, in words. Without a registry every code is right."""
    given = sorted(set(areas))
    found = [
        f"{area!r} is neither the code of an area nor {ALL}" for area in given if not is_place(area)
    ]
    known = [area for area in given if is_place(area)]
    unknown = await desk.column("unknown_areas", areas=known)
    return found + [f"{area} is no area of the registry" for area in unknown]
