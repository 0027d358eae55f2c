"""What the pipeline refuses as a whole, and what versions of registry and profile change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.catalog import Profile
from streams.contracts.codec import encode, encode_control, encode_refusal
from streams.contracts.frame import Record, Refusal
from streams.contracts.reason import AlertState, Change, NamespaceKind, Origin, Reason
from streams.pipeline import Pipeline, PipelineSetup, wanted_versions
from tests.support.small_city import (
    COUNTIES,
    DOMAINS,
    PROPERTY_IDS,
    START_MS,
    TOPIC,
    frame_of,
    registry,
)
from tests.support.timeline import COUNTY, RISE, Timeline, moment

TEN = moment("10:00")
ROWS = [(f"{COUNTY}-p0", "depth", TEN, 0.6)]
FRAME = frame_of(COUNTY, "waterlogging", 1, TEN + 1000, ROWS)


def bare(partition: int = 0) -> Pipeline:
    setup = PipelineSetup(TOPIC, partition, NamespaceKind.LIVE, DOMAINS, PROPERTY_IDS)
    return Pipeline(setup)


def test_without_a_registry_no_area_is_known() -> None:
    outcome = bare().process([Record(4, TEN, *encode(FRAME))], {})
    (letter,) = outcome.dead_letters
    assert (letter.reason, letter.position, letter.row) == (Reason.UNKNOWN_AREA, 4, -1)
    assert outcome.next_offset == 5
    assert outcome.ledger[COUNTY, "waterlogging", FRAME.source].tolist()[:2] == [1, 1]


def test_unknown_domain_and_area() -> None:
    city = Timeline()
    assert city.push(replace(FRAME, domain="noise")).dead_letters[0].reason is Reason.UNKNOWN_DOMAIN
    assert city.push(replace(FRAME, area="330999")).dead_letters[0].reason is Reason.UNKNOWN_AREA


def test_an_area_of_another_partition_is_foreign() -> None:
    held = registry(partitions=4)
    outcome = Timeline(held).push(replace(FRAME, area=COUNTIES[1]))
    assert outcome.dead_letters[0].reason is Reason.FOREIGN_AREA


def test_a_record_that_cannot_be_read_is_buried_and_the_next_one_taken() -> None:
    headers, body = encode(FRAME)
    held = registry()
    records = [
        Record(0, TEN, *encode_control("registry", held.version, TEN)),
        Record(1, TEN, headers, body[:-3]),
        Record(2, TEN, headers, body),
    ]
    outcome = bare().process(records, {held.version: held.to_dict()})
    (letter,) = outcome.dead_letters
    assert (letter.reason, letter.position) == (Reason.MALFORMED, 1)
    assert letter.content == body[:-3], "the original bytes"
    assert sum(len(r) for r in outcome.readings) == 1


def test_a_version_that_nobody_holds_is_buried() -> None:
    message = encode_control("registry", "sha256:" + "0" * 64, TEN)
    outcome = bare().process([Record(0, TEN, *message)], {})
    assert outcome.dead_letters[0].reason is Reason.UNKNOWN_VERSION
    assert outcome.activated == []


def test_an_ingest_time_ahead_of_the_log_is_set_apart_in_a_live_namespace() -> None:
    city = Timeline()
    at = FRAME.ingest_ms
    outcome = city.push(FRAME, append_ms=at - 300_001)
    assert [q.reason for q in outcome.quarantined] == [Reason.FUTURE_INGEST]
    assert city.transitions == []
    assert city.push(FRAME, append_ms=at - 300_000).quarantined == []
    assert city.transitions


def test_a_simulated_clock_may_run_ahead_of_the_log() -> None:
    city = Timeline(kind=NamespaceKind.VERIFY)
    frame = replace(FRAME, origin=Origin.REPLAYED)
    assert city.push(frame, append_ms=0).quarantined == []
    assert city.store.observation


def test_a_repeated_frame_is_dropped_whole() -> None:
    city = Timeline()
    city.push(FRAME)
    changed = replace(FRAME, value=FRAME.value + 1)
    outcome = city.push(changed)
    assert outcome.readings == []
    assert outcome.ledger[COUNTY, "waterlogging", FRAME.source].tolist() == [1, 0, 0, 1, 0, 0, 0, 0]
    other = city.push(replace(changed, source="/another/gateway"))
    assert len(other.revisions) == 1, "identity is source and id"


def test_a_profile_changes_thresholds_from_its_place_in_the_log() -> None:
    city = Timeline()
    city.depth("10:00", p0=0.16)
    city.depth("10:01", p0=0.16)
    city.use(Profile("strict", {"waterlogging.tier.blue_cm": "10"}))
    city.depth("10:02", p1=0.11)
    city.depth("10:03", p1=0.11)
    assert city.story("p0")[:2] == ["10:00:00 onset blue", "10:01:00 confirmed blue"]
    assert city.story("p1") == ["10:02:00 onset blue", "10:03:00 confirmed blue"]
    assert city.of("p1")[0].threshold == "10"
    assert city.of("p0")[0].rule_version != city.of("p1")[0].rule_version


def test_a_sensor_that_left_the_registry_is_unknown_and_its_alert_retired() -> None:
    """Nobody watches the place any more: the alert says so, instead of staying for ever."""
    held = registry()
    city = Timeline(held)
    city.depth("10:00", p0=0.6)
    sensors = {n: s for n, s in held.sensors.items() if n != f"{COUNTY}-p0"}
    city.activate(replace(held, sensors=sensors))
    outcome = city.depth("10:01", p0=0.6, p1=0.1)
    assert [letter.reason for letter in outcome.dead_letters] == [Reason.UNKNOWN_SENSOR]
    assert city.story()[-2:] == ["10:00:00 confirmed red", "10:00:01 retired red"]


def test_a_sensor_that_joins_is_taken_from_there_on() -> None:
    held = registry()
    less = {n: s for n, s in held.sensors.items() if n != f"{COUNTY}-p0"}
    city = Timeline(replace(held, sensors=less))
    assert city.depth("10:00", p0=0.6).dead_letters
    city.activate(held)
    city.depth("10:01", p0=0.6, p1=0.1)
    assert city.story() == ["10:01:00 onset red", "10:01:00 confirmed red"]
    assert city.story(rule=RISE) == []


def test_two_sensors_at_one_point_are_two_alerts() -> None:
    held = registry()
    twin = replace(held.sensors[f"{COUNTY}-p0"], id=999, name="twin")
    city = Timeline(replace(held, sensors={**held.sensors, "twin": twin}))
    rows = [(f"{COUNTY}-p0", "depth", TEN, 0.6), ("twin", "depth", TEN, 0.2)]
    city.rows(rows, TEN + 1000)
    depth = [t for t in city.transitions if t.rule != RISE]
    assert {t.subject for t in depth} == {f"{COUNTY}-p0", f"{COUNTY}-p0#twin"}
    assert {t.point for t in depth} == {f"{COUNTY}-p0"}


def test_wanted_versions_are_those_of_readable_controls() -> None:
    good = Record(0, TEN, *encode_control("registry", "sha256:" + "a" * 64, TEN))
    broken = Record(1, TEN, good.headers, b"{")
    frame = Record(2, TEN, *encode(FRAME))
    assert wanted_versions([good, broken, frame]) == {"sha256:" + "a" * 64}


@pytest.mark.parametrize("at", ["10:00", "10:05"])
def test_a_tick_before_or_after_changes_no_reading(at: str) -> None:
    city = Timeline()
    city.tick("9:59")
    city.push(FRAME)
    before = dict(city.store.observation)
    city.tick(at)
    assert city.store.observation == before


def test_a_profile_that_no_rule_can_be_filled_with_changes_nothing() -> None:
    held, pipeline = registry(), bare()
    bad = Profile("bad", {"waterlogging.tier.red_cm": "deep", "air.timing.horizon_s": "-1"})
    good = Profile("good", {"waterlogging.tier.red_cm": "60"})
    contents = {v.version: v.to_dict() for v in (held, bad, good)}
    controls = [("registry", held.version), ("profile", bad.version), ("profile", good.version)]
    records = [
        Record(n, START_MS, *encode_control(kind, version, START_MS))
        for n, (kind, version) in enumerate(controls)
    ]
    outcome = pipeline.process(records, contents)
    assert [letter.reason for letter in outcome.dead_letters] == [Reason.UNUSABLE_VERSION]
    assert "red_cm = 'deep'" in outcome.dead_letters[0].detail
    assert "air.timing.horizon_s" in outcome.dead_letters[0].detail
    assert [(kind, version) for kind, version, _ in outcome.activated] == [controls[0], controls[2]]


def test_the_alert_of_a_point_that_left_the_registry_is_retired() -> None:
    held, pipeline = registry(), bare()
    county = COUNTIES[0]
    point = f"{county}-p0"
    smaller = replace(
        held,
        points={k: v for k, v in held.points.items() if k != point},
        sensors={k: v for k, v in held.sensors.items() if k != point},
    )
    contents = {v.version: v.to_dict() for v in (held, smaller)}
    rows = [(f"{county}-p{n}", "depth", START_MS + m * 1000, 0.6) for n in (0, 1) for m in (0, 30)]
    frame = frame_of(county, "waterlogging", 1, START_MS + 40_000, rows)
    sent = [
        encode_control("registry", held.version, START_MS),
        encode(frame),
        encode_control("registry", smaller.version, START_MS),
    ]
    records = [Record(n, START_MS + 40_000, *message) for n, message in enumerate(sent)]
    transitions = pipeline.process(records, contents).transitions
    last = {t.subject: (t.state, t.change) for t in transitions}
    assert last[point] == (AlertState.RESOLVED, Change.RETIRED)
    assert last[f"{county}-p1"][0] is AlertState.FIRING


def test_late_rows_are_marked_by_the_profiles_own_days() -> None:
    held, pipeline = registry(), bare()
    profile = Profile("elsewhere", {"profile.utc_offset_hours": "-4"})
    contents = {v.version: v.to_dict() for v in (held, profile)}
    assert pipeline.process([], {}).zone_ms == 8 * 3_600_000
    sent = [
        encode_control("profile", profile.version, START_MS),
        encode_control("registry", held.version, START_MS),
    ]
    records = [Record(n, START_MS, *message) for n, message in enumerate(sent)]
    assert pipeline.process(records, contents).zone_ms == -4 * 3_600_000


def test_what_a_gateway_refused_is_counted_and_kept_with_its_bytes() -> None:
    refused = Refusal("/gw/1", COUNTY, TEN, Reason.UNKNOWN_SENSOR, "x", 3, b"raw")
    outcome = bare().process([Record(7, TEN, *encode_refusal(refused, "r1"))], {})
    (letter,) = outcome.dead_letters
    assert (letter.reason, letter.position, letter.content) == (Reason.UNKNOWN_SENSOR, 7, b"raw")
    assert outcome.ledger[COUNTY, "", "/gw/1"].tolist()[:2] == [3, 3]
