"""Every query of every dashboard on a database that a typhoon has filled, as Grafana sends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from dashboards.grafana.ask import ask_all, choose, note_mistakes
from dashboards.grafana.boards import boards
from dashboards.grafana.macros import TimeRange, interpolate
from dashboards.grafana.model import Panel
from dashboards.grafana.sql import Queries
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.storage.boards import Reading, reading
from streams.storage.connect import connect
from streams.storage.migrate import migrate
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
    assert [(row["event"], row["severity"]) for row in rows] == [
        ("台风", 4),
        ("暴雨", 3),
        ("大风", 1),
    ]
    assert answer("domain-weather", "Official warnings", session, typhoon) == rows
    before = Typhoon(
        typhoon.conninfo,
        typhoon.namespace,
        replace(typhoon.seen, until=typhoon.seen.until - timedelta(hours=2, minutes=30)),
    )
    rows = answer("situation", "Official warnings", session, before)
    assert [(row["event"], row["severity"]) for row in rows] == [
        ("台风", 4),
        ("暴雨", 2),
        ("大风", 1),
    ]


def test_nothing_is_unaccounted_for(session: Reading, typhoon: Typhoon) -> None:
    (row,) = answer("ledger", "unaccounted for", session, typhoon)
    assert int(str(row["value"])) == 0
    went = answer("ledger", "Where readings went, by domain, since the start", session, typhoon)
    assert sum(int(str(row["duplicate"])) for row in went) > 0


def test_silent_sensors_are_counted_once_and_in_their_domain(
    session: Reading, typhoon: Typhoon
) -> None:
    rows = session.ask(
        "select count(t.sensor), count(distinct s.sensor)"
        f" from {NAMESPACE}.board_sensor s left join {NAMESPACE}.board_ticket t"
        " on t.sensor = s.sensor and t.kind = 'silent' and t.closed is null"
    ).rows
    silent, sensors = rows[0]
    assert 0 < silent < sensors
    (share,) = answer("situation", "sensors reporting", session, typhoon)
    assert float(str(share["value"])) == pytest.approx(100 * (sensors - silent) / sensors)
    told = answer("situation", "Freshness by domain", session, typhoon)
    assert sum(int(str(row["silent"])) for row in told) == silent
    for row in told:
        (own,) = answer(f"domain-{row['domain']}", "silent sensors", session, typhoon)
        assert own["value"] == int(str(row["silent"]))
    listed = answer("situation", "Silence, and who answered", session, typhoon)
    assert sum(row["what"] == "ticket" for row in listed) == silent


def test_late_readings_and_matters_are_told(session: Reading, typhoon: Typhoon) -> None:
    sources = answer("ledger", "By source", session, typhoon)
    assert sum(int(str(row["late"])) for row in sources) > 0
    assert answer("ledger", "Maintenance matters by kind", session, typhoon)


def test_the_wait_for_the_commit_is_told_where_the_clock_is_the_wall_s(
    database_url: str, namespace: str
) -> None:
    migrate(database_url, namespace, NamespaceKind.LIVE)
    with connect(database_url, namespace) as connection:
        connection.execute(
            "insert into outbox (sequence, topic, key, area, status, notify, content, numbered_at)"
            " select n, 'city.alert.v1', 'a', '330106', 'Actual', true,"
            " jsonb_build_object('decided_ms', ms_of(now())), now() + interval '1 second' * n"
            " from generate_series(1, 3) n"
        )
        now = connection.execute("select now()").fetchall()[0][0]
    seen = TimeRange(now - timedelta(hours=1), now + timedelta(hours=1))
    asked = interpolate(Queries("platform", namespace).get("waited"), seen, 3600, {})
    with reading(database_url, namespace) as session:
        rows = session.ask(asked).rows
    found = {metric: value for _, metric, value in rows}
    assert found == pytest.approx({"p50": 2.0, "p95": 2.9}, abs=0.001)


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
