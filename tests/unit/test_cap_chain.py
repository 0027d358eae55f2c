"""The messages of an alert's life: Alert, Updates that name what they replace, the Cancel."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import xmlschema

from api.cap.chain import Told, build_chain, identifier, split_identifier
from api.cap.outline import outline
from api.cap.render import render
from api.queries.cap_rows import CapRow
from streams.alerting.title import RuleTitles
from streams.contracts.cap.house import House, house_mistakes, read_house
from streams.contracts.cap.model import (
    CapSeverity,
    Category,
    Certainty,
    Message,
    MsgType,
    Named,
    ResponseType,
    Scope,
    Status,
    Urgency,
)
from streams.contracts.cap.sense import check_public, polygon_fault
from streams.contracts.cap.write import write
from streams.contracts.reason import NamespaceKind
from tests.support.seed_domains import DOMAINS
from tests.support.shared_data import shared_data

BEGIN = datetime(2026, 8, 7, 2, 0, tzinfo=UTC)
HOUSE = read_house({})
FIRST = CapRow(
    alert="9f2c41d07b3a",
    sequence=1,
    rule="waterlogging.depth",
    rule_version="1",
    domain="waterlogging",
    area="330106",
    point="p0",
    subject="p0",
    onset=BEGIN,
    event_time=BEGIN,
    decided_at=BEGIN,
    valid_until=BEGIN + timedelta(minutes=15),
    state="pending",
    severity=2,
    stale=False,
    unverified=False,
    change="onset",
    value="0.160",
    threshold="0.15",
    unit="m",
    origin="live",
    closed_as=None,
    area_name="西湖区",
    area_name_en="Xihu",
    point_name="文三路下穿",
    lon=120.1271,
    lat=30.2762,
    judged_at=None,
)
TITLES = RuleTitles(DOMAINS)
SQUARE = {
    "type": "Polygon",
    "coordinates": [[[120.0, 30.0], [120.3, 30.0], [120.3, 30.2], [120.0, 30.2], [120.0, 30.0]]],
}


def life(*changes: tuple[int, str, dict[str, Any]]) -> list[CapRow]:
    """Rows: (minute, change, what else is other than in the one before)."""
    rows = [FIRST]
    for minute, change, other in changes:
        at = BEGIN + timedelta(minutes=minute)
        valid = {"decided_at": at, "event_time": at, "valid_until": at + timedelta(minutes=15)}
        number = rows[-1].sequence + 1
        rows.append(replace(rows[-1], sequence=number, change=change, **valid | other))
    return rows


FIRING = {"state": "firing"}
ENDED = {"state": "resolved", "severity": 0}
RAISED = life(
    (1, "confirmed", FIRING), (4, "raised", {"severity": 4}), (9, "stale", {"stale": True})
)
CLEARED = [*RAISED, *life((30, "cleared", ENDED | {"stale": False}))[1:]]


def chain(rows: list[CapRow]) -> list[Told]:
    numbered = [replace(row, sequence=n) for n, row in enumerate(rows, 1)]
    return build_chain(numbered, "citybrain", HOUSE.sender, None)


def message(told: Told, kind: NamespaceKind = NamespaceKind.LIVE, house: House = HOUSE) -> Message:
    return render(told, kind, house, TITLES, SQUARE)


def test_nothing_is_told_of_a_pending_alert() -> None:
    assert chain([FIRST]) == []
    assert chain(life((5, "not_confirmed", ENDED))) == []
    assert chain(life((5, "retired", ENDED))) == []


def test_lists_are_no_matter_of_messages() -> None:
    rows = [*RAISED]
    rows.insert(2, replace(rows[1], change="hidden"))
    rows.insert(4, replace(rows[3], change="shown"))
    told = chain(rows)
    assert [one.row.change for one in told] == ["confirmed", "raised", "stale"]
    assert [one.identifier[-1] for one in told] == ["2", "4", "6"]
    assert told[-1].references[-1].identifier == told[-2].identifier


def test_a_life_in_messages() -> None:
    told = chain(CLEARED)
    assert [one.msg_type for one in told] == [
        MsgType.ALERT,
        MsgType.UPDATE,
        MsgType.UPDATE,
        MsgType.CANCEL,
    ]
    names = [one.identifier for one in told]
    assert names == [f"citybrain-9f2c41d07b3a-{n}" for n in (2, 3, 4, 5)]
    assert [[r.identifier for r in one.references] for one in told] == [
        [],
        names[:1],
        names[:2],
        names[2:3],  # the others have expired by then
    ]
    assert told[1].references[0].sent == told[0].sent == "2026-08-07T10:01:00+08:00"


def test_the_same_transitions_give_the_same_messages() -> None:
    told = [write(message(one)) for one in chain(CLEARED)]
    assert told == [write(message(one)) for one in chain(list(CLEARED))]
    assert told[:2] == [write(message(one)) for one in chain(CLEARED[:3])], (
        "later ones move nothing"
    )


def test_a_message_never_precedes_what_it_names() -> None:
    rows = life((5, "confirmed", FIRING), (4, "raised", {"severity": 3}))
    first, second = chain(rows)
    assert second.sent == first.sent


def test_an_alert_says_what_was_measured_where() -> None:
    found = message(chain(CLEARED)[0])
    assert (found.status, found.scope, found.note) == (Status.ACTUAL, Scope.PUBLIC, None)
    chinese, english = found.infos
    assert (chinese.language, english.language) == ("zh-CN", "en-US")
    assert chinese.headline == "西湖区文三路下穿城市内涝黄色告警"
    assert english.headline == "urban waterlogging alert (yellow): 文三路下穿, Xihu"
    assert "实测 0.160 m，阈值 0.15 m" in (chinese.description or "")
    assert chinese.categories == (Category.INFRA, Category.MET)
    assert chinese.response_types == (ResponseType.AVOID,)
    assert (chinese.severity, chinese.urgency) == (CapSeverity.MODERATE, Urgency.EXPECTED)
    assert chinese.expires == "2026-08-07T10:16:00+08:00"
    assert Named("预警级别", "黄色") in chinese.parameters
    (area,) = chinese.areas
    assert area.geocodes == (Named("GB/T 2260", "330106"),)
    assert (area.circles[0].lat, area.circles[0].radius_km) == (Decimal("30.27620"), Decimal("0.3"))
    assert area.polygons == ()
    assert check_public(found) == ()


def test_a_red_one_asks_to_leave_and_a_stale_one_is_less_certain() -> None:
    _, red, stale, _ = (message(one).infos[0] for one in chain(CLEARED))
    assert (red.severity, red.response_types) == (CapSeverity.EXTREME, (ResponseType.EVACUATE,))
    assert (red.certainty, stale.certainty) == (Certainty.OBSERVED, Certainty.POSSIBLE)
    assert "现状未知" in (stale.description or "")


def test_a_measured_end_is_an_all_clear() -> None:
    found = message(chain(CLEARED)[-1])
    assert found.msg_type is MsgType.CANCEL
    assert found.note is None
    (info, _) = found.infos
    assert (info.response_types, info.urgency) == ((ResponseType.ALL_CLEAR,), Urgency.PAST)
    assert info.severity is CapSeverity.EXTREME, "the last one that was told"
    assert info.headline == "西湖区文三路下穿解除城市内涝红色告警"


@pytest.mark.parametrize("change", ["withdrawn", "retired"])
def test_an_end_without_a_measurement_clears_nothing(change: str) -> None:
    found = message(chain([*RAISED, *life((12, change, ENDED))[1:]])[-1])
    assert found.msg_type is MsgType.CANCEL
    assert "Withdrawn" in (found.note or "")
    assert found.infos[0].response_types == (ResponseType.MONITOR,)
    assert found.infos[0].urgency is not Urgency.PAST


def test_closed_by_hand_is_an_all_clear_and_a_false_alarm_is_taken_back() -> None:
    for said, response, words in (
        ("closed_by_hand", ResponseType.ALL_CLEAR, "people on duty say"),
        ("false_alarm", ResponseType.MONITOR, "there was no danger"),
    ):
        rows = [*RAISED, *life((12, "closed", ENDED | {"closed_as": said}))[1:]]
        found = message(chain(rows)[-1])
        assert found.msg_type is MsgType.CANCEL
        assert words in (found.note or "")
        assert found.infos[0].response_types == (response,)
        assert words in (found.infos[1].description or "")


@pytest.mark.parametrize(
    ("kind", "origin", "status"),
    [
        (NamespaceKind.LIVE, "live", Status.ACTUAL),
        (NamespaceKind.LIVE, "replayed", Status.TEST),
        (NamespaceKind.SIMULATED, "simulated", Status.EXERCISE),
        (NamespaceKind.DRILL, "live", Status.EXERCISE),
        (NamespaceKind.VERIFY, "live", Status.TEST),
    ],
)
def test_only_live_input_of_the_live_city_is_actual(
    kind: NamespaceKind, origin: str, status: Status
) -> None:
    rows = [replace(row, origin=origin) for row in CLEARED]
    for told in chain(rows):
        found = message(told, kind)
        assert found.status is status
        real = status is Status.ACTUAL
        assert (found.scope is Scope.PUBLIC) is real
        assert ("非真实警情" in (found.note or "")) is not real
        assert (found.infos[0].headline or "").startswith("【") is not real


@pytest.mark.parametrize("domain", [*sorted(DOMAINS), "unheard_of"])
@pytest.mark.parametrize("point", ["p0", None])
@pytest.mark.parametrize("kind", [NamespaceKind.LIVE, NamespaceKind.SIMULATED])
def test_every_message_is_valid_by_the_schema(
    domain: str, point: str | None, kind: NamespaceKind
) -> None:
    schema = xmlschema.XMLSchema(str(shared_data("cap") / "schema" / "cap12.xsd"))
    rule = next((r.name for r in DOMAINS[domain].rules), "a.b") if domain in DOMAINS else "a.b"
    place: dict[str, Any] = {"point": point, "point_name": point, "domain": domain, "rule": rule}
    for end in ("cleared", "withdrawn"):
        rows = [*RAISED, *life((12, end, ENDED))[1:]]
        for told in chain([replace(row, **place) for row in rows]):
            found = message(told, kind)
            schema.validate(io.BytesIO(write(found)))
            assert kind is not NamespaceKind.LIVE or check_public(found) == ()


def test_a_name_that_xml_cannot_carry_breaks_nothing() -> None:
    (told, *_) = chain([replace(row, point_name="p\x00\x1f0") for row in CLEARED])
    assert b"p0" in write(message(told))


def test_an_alert_of_an_area_has_its_outline() -> None:
    rows = [replace(row, point=None, point_name=None, lon=None, lat=None) for row in CLEARED]
    (area,) = message(chain(rows)[0]).infos[0].areas
    assert area.circles == ()
    assert area.polygons[0][0] == (Decimal("30.0000"), Decimal("120.0000"))


def test_an_outline_is_short_closed_and_simple() -> None:
    import math

    ring = [
        [120 + math.cos(t / 500 * math.pi) * (1 + 0.02 * (t % 3)), 30 + math.sin(t / 500 * math.pi)]
        for t in range(1000)
    ]
    tiny = [[122.0, 30.0], [122.001, 30.0], [122.001, 30.001], [122.0, 30.0]]
    shape = {"type": "MultiPolygon", "coordinates": [[[*ring, ring[0]]], [tiny]]}
    (found,) = outline(shape, 60)
    assert 4 <= len(found) <= 60
    assert polygon_fault(found) is None


def test_identifiers_come_apart_again() -> None:
    for alert in ("9f2c", "alert-wl-330106-003"):
        assert split_identifier(identifier("live_1", alert, 12)) == ("live_1", alert, 12, 0)
        assert split_identifier(identifier("live_1", alert, 12, 3)) == ("live_1", alert, 12, 3)
    for text in ("", "a", "a-b", "a-b-c", "a--1", "a-b-٣", "a-b-1.0", "a-b-1.", "a-b-1.2.3"):
        assert split_identifier(text) is None


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("cap.sender", "no good"),
        ("cap.severity_by_colour", "red=Extreme"),
        ("cap.severity_by_colour", "red=Bad, orange=Severe, yellow=Moderate, blue=Minor"),
        ("cap.urgency_by_colour", "green=Past"),
        ("cap.domain_map", "air: Env"),
        ("cap.domain_map", "air: Wind / a / b / Avoid"),
        ("cap.public_statuses", "Real"),
        ("cap.point_radius_m", "0"),
        ("cap.polygon_pairs", "many"),
    ],
)
def test_a_profile_with_a_mistake_is_told(key: str, text: str) -> None:
    (told,) = house_mistakes({key: text})
    assert told.startswith(f"{key}: ")
    assert house_mistakes({}) == []
