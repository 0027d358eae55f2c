"""What a page is told when the first look at the database fails."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from api.freshness import FreshnessSettings
from api.live import Broadcaster, LiveEvent
from api.queries.database import Database
from api.view import Parts

NOBODY = "host=127.0.0.1 port=1 dbname=none"  # no server listens there


async def first_event() -> LiveEvent:
    database = Database(NOBODY, wait_s=0.2)
    await database.open()
    try:
        async with aclosing(Broadcaster(Parts(database, "city", {})).follow("city")) as events:
            return await anext(events)
    finally:
        await database.close()


def test_it_is_told_of_the_trouble_and_how_patient_to_be() -> None:
    event = asyncio.run(first_event())
    assert event.kind == "snapshot"
    assert event.data["trouble"] == "database"
    assert event.data["patience"] == FreshnessSettings.model_construct().model_dump()
