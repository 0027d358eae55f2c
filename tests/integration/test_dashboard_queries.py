"""Every query of every dashboard on a database that a typhoon has filled, as Grafana sends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from dashboards.grafana.ask import ask_all, choose, note_mistakes
from dashboards.grafana.boards import boards
from dashboards.grafana.model import Panel
from streams.domains import find_domains
from streams.storage.boards import Reading, reading
from tests.support.typhoon import NAMESPACE, Typhoon

pytestmark = pytest.mark.integration
BOARDS = {board.slug: board for board in boards(find_domains(), NAMESPACE)}
SLOWEST_MS = 5_000.0  # a guard against plans that went wrong, not a measurement


@pytest.fixture(scope="module")
def session(typhoon: Typhoon) -> Iterator[Reading]:
    with reading(typhoon.conninfo, typhoon.namespace) as session:
        yield session


@pytest.mark.parametrize("slug", BOARDS)
def test_every_query_answers(slug: str, session: Reading, typhoon: Typhoon) -> None:
    asked = list(ask_all(BOARDS[slug], session, typhoon.seen))
    assert [what for each in asked for what in each.mistakes(busy=True)] == []
    assert [each.panel.title.en for each in asked if each.ms > SLOWEST_MS] == []
    assert note_mistakes(BOARDS[slug], session, typhoon.seen) == []


def answer(board: str, title: str, session: Reading, typhoon: Typhoon) -> list[dict[str, object]]:
    found = next(
        a for a in ask_all(BOARDS[board], session, typhoon.seen) if a.panel.title.en == title
    )
    return [dict(zip(found.answer.columns, row, strict=True)) for row in found.answer.rows]


def test_the_curve_of_depths_says_what_the_windows_hold(session: Reading, typhoon: Typhoon) -> None:
    rows = answer("domain-waterlogging", "water depth", session, typhoon)
    names = {row["metric"] for row in rows}
    assert 1 <= len(names) <= 8
    highest = session.ask(
        f"select max(high)::float8 from {NAMESPACE}.board_window where property = 'depth'"
    ).rows[0][0]
    assert max(float(str(row["value"])) for row in rows) == pytest.approx(highest)


def test_open_alerts_are_counted_once(session: Reading, typhoon: Typhoon) -> None:
    rows = answer("situation", "Open alerts", session, typhoon)
    colours = ("red alerts", "orange alerts", "yellow alerts", "blue alerts")
    counted = sum(
        int(str(answer("situation", title, session, typhoon)[0]["value"])) for title in colours
    )
    assert counted == len(rows) > 0


def test_incidents_hold_the_alerts_that_are_open(session: Reading, typhoon: Typhoon) -> None:
    rows = answer("situation", "Incidents", session, typhoon)
    (counted,) = answer("situation", "incidents", session, typhoon)
    assert len(rows) == int(str(counted["value"])) > 1
    alerts = answer("situation", "Open alerts", session, typhoon)
    assert sum(int(str(row["open"])) + int(str(row["hidden"])) for row in rows) == len(alerts)
    colours = [int(str(row["severity"])) for row in rows]
    assert colours == sorted(colours, reverse=True)
    own = answer("domain-waterlogging", "Incidents", session, typhoon)
    assert {row["domain"] for row in own} == {"waterlogging"}
    assert all(row["place"] for row in rows)


def test_roads_that_are_closed_come_first_and_say_how_far(
    session: Reading, typhoon: Typhoon
) -> None:
    rows = answer("situation", "Road closures", session, typhoon)
    assert [row["state"] for row in rows][:3] == ["confirmed", "ordered", "advised"]
    assert [(row["confirmed_at"] is None, row["ordered_at"] is None) for row in rows[:3]] == [
        (False, False),
        (True, False),
        (True, True),
    ]
    assert {row["state"] for row in rows} == {"confirmed", "ordered", "advised", "reopened"}
    (closed,) = answer("situation", "roads closed", session, typhoon)
    assert closed["value"] == 2
    assert answer("domain-traffic", "Road closures", session, typhoon) == rows


def test_call_outs_count_who_answered(session: Reading, typhoon: Typhoon) -> None:
    rows = answer("situation", "Call-outs", session, typhoon)
    assert [sum(int(str(row[name])) for row in rows) for name in ("answered", "acting")] == [2, 2]
    assert all(int(str(row["called"])) >= 1 for row in rows)


def test_official_warnings_in_force_are_shown_where_they_concern(
    session: Reading, typhoon: Typhoon
) -> None:
    rows = answer("situation", "Official warnings", session, typhoon)
    assert [(row["event"], row["severity"]) for row in rows] == [("台风", 4), ("暴雨", 3)]
    assert answer("domain-weather", "Official warnings", session, typhoon) == rows
    before = Typhoon(
        typhoon.conninfo,
        typhoon.namespace,
        replace(typhoon.seen, until=typhoon.seen.until - timedelta(hours=2, minutes=30)),
    )
    rows = answer("situation", "Official warnings", session, before)
    assert [(row["event"], row["severity"]) for row in rows] == [("台风", 4), ("暴雨", 2)]


def test_nothing_is_unaccounted_for(session: Reading, typhoon: Typhoon) -> None:
    (row,) = answer("ledger", "unaccounted for", session, typhoon)
    assert int(str(row["value"])) == 0
    went = answer("ledger", "Where readings went, by domain, since the start", session, typhoon)
    assert sum(int(str(row["duplicate"])) for row in went) > 0


def test_a_county_shows_its_own_alerts_only(session: Reading, typhoon: Typhoon) -> None:
    board = BOARDS["situation"]
    county = session.ask(
        f"select area from {NAMESPACE}.board_alert where state = 'firing' and level = 'county'"
        " group by area order by area limit 1"
    ).rows[0][0]
    variables = tuple(
        replace(v, sql=f"select 'x' as __text, '{county}' as __value") if v.name == "county" else v
        for v in board.variables
    )
    narrowed = replace(board, variables=variables)
    assert choose(narrowed, session, typhoon.seen)["county"] == [county]
    found = next(
        a for a in ask_all(narrowed, session, typhoon.seen) if a.panel.title.en == "Risk by county"
    )
    codes = {row[found.answer.columns.index("code")] for row in found.answer.rows}
    assert codes == {county}


def test_a_query_that_fails_and_one_that_is_empty_are_told(
    session: Reading, typhoon: Typhoon
) -> None:
    board = BOARDS["platform"]
    panel = board.rows[0].panels[0]

    def told(spoilt: Panel, *, busy: bool = True) -> list[str]:
        row = replace(board.rows[0], panels=(spoilt,))
        (asked,) = ask_all(replace(board, rows=(row,)), session, typhoon.seen)
        return asked.mistakes(busy=busy)

    assert "does not exist" in told(replace(panel, sql="select value from nowhere"))[0]
    assert told(replace(panel, sql="select 1 as value where false")) == [
        "platform: panel records behind: no rows"
    ]
    assert told(replace(panel, sql="select 1 as value where false"), busy=False) == []
    assert told(replace(panel, sql="select 1 as wrong")) == [
        "platform: panel records behind: no column value"
    ]
    assert "permission denied" in told(replace(panel, sql=f"select * from {NAMESPACE}.session"))[0]
