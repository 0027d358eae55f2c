"""Official warnings that are over go; what keeps another one from being in force stays with it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from streams.contracts.domain import DAY_MS
from streams.contracts.outcome import HeardWarning
from streams.contracts.reason import NamespaceKind, Origin
from streams.contracts.warning import Announcement, Kind, OfficialWarning
from streams.storage.connect import connect
from streams.storage.keeping import Keeping
from streams.storage.migrate import migrate
from streams.storage.upkeep import Upkeep
from streams.storage.warnings import write_warnings
from tests.support.official import warning

pytestmark = pytest.mark.integration
NOW = 1_780_000_000_000
OLD, YOUNG = NOW - 100 * DAY_MS, NOW - 5 * DAY_MS


@pytest.fixture
def space(database_url: str, namespace: str) -> str:
    migrate(database_url, namespace, NamespaceKind.LIVE, domains={}, partitions=1)
    return namespace


def hear(conninfo: str, space: str, *told: OfficialWarning, heard_ms: int = OLD) -> None:
    with connect(conninfo, space, "citybrain test") as connection, connection.cursor() as cursor:
        announced = [Announcement("gw", heard_ms, Origin.LIVE, one) for one in told]
        write_warnings(cursor, [HeardWarning(a, a.warning.ends_ms(24)) for a in announced])


def keep(conninfo: str, space: str, days: int = 30) -> list[str]:
    """What is left after a round of upkeep."""
    given = Keeping(warnings_days=days)
    with closing(Upkeep(conninfo, space, {}, given, now_ms=lambda: NOW)) as upkeep:
        upkeep.run()
    with connect(conninfo, space, "citybrain test") as connection:
        return [
            row[0]
            for row in connection.execute(
                "select identifier from official_warning order by identifier"
            )
        ]


def over(identifier: str, expires_ms: int = OLD + DAY_MS, **given: Any) -> OfficialWarning:
    return warning(identifier, OLD, expires_ms=expires_ms, **given)


def test_what_is_over_goes_and_what_is_not_stays(database_url: str, space: str) -> None:
    hear(database_url, space, over("old"), over("long", NOW + DAY_MS), over("young", YOUNG))
    hear(database_url, space, over("imported"), heard_ms=YOUNG)
    everything = ["imported", "long", "old", "young"]
    assert keep(database_url, space, days=0) == everything
    assert keep(database_url, space, days=120) == everything
    assert keep(database_url, space) == ["imported", "long", "young"]


def test_a_cancel_stays_as_long_as_what_it_ended(database_url: str, space: str) -> None:
    long = over("long", NOW + DAY_MS)
    end = over("end", kind=Kind.CANCEL, refers=("long",))
    other = over("other", kind=Kind.CANCEL, refers=("gone",))
    hear(database_url, space, long, end, other)
    assert keep(database_url, space) == ["end", "long"]
    with connect(database_url, space, "citybrain test") as connection:
        state = connection.execute(
            "select ended_kind from official_warning_state where identifier = 'long'"
        ).fetchone()
        assert state == ("Cancel",)
        connection.execute("update official_warning set expires = at_ms(%s)", (OLD,))
    assert keep(database_url, space) == []


def test_a_row_that_took_the_place_of_another_stays_with_it(database_url: str, space: str) -> None:
    first = over("first", NOW + DAY_MS, series="rain of Xihu")
    second = over("second", series="rain of Xihu")
    hear(database_url, space, first, second, over("third", series="wind of Xihu"))
    assert keep(database_url, space) == ["first", "second"]
