"""Each fault does what its name says, to the share that was asked for, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sensors.simulation import faults
from sensors.simulation.scenario import parse_start
from streams.contracts.frame import Float64, Frame, Int64
from streams.errors import Misconfigured
from tests.support.simulated import START_MS, digest, frames, series, steps

MINUTES = 40
FROST_MS = parse_start("2027-01-20T06:00")


def depth_values(*spoil: str) -> dict[str, list[float]]:
    found = series(frames(steps(MINUTES, spoil=spoil)), "depth")
    return {name: v.tolist() for name, (_, v) in found.items()}


@pytest.mark.parametrize("kind", sorted(faults.KINDS))
def test_a_fault_is_deterministic_and_changes_something(kind: str) -> None:
    spoil = [
        {
            "skewed-clock": "skewed-clock:900/1",
            "gateway-down": "gateway-down:worst@20+5",
            "unit-change": "unit-change:1@20",
        }.get(kind, f"{kind}:0.5")
    ]
    spoilt = digest(frames(steps(MINUTES, spoil=spoil)))
    assert spoilt == digest(frames(steps(MINUTES, spoil=spoil)))
    assert spoilt != digest(frames(steps(MINUTES)))


def test_a_stuck_sensor_repeats_the_value_it_had() -> None:
    whole, spoilt = depth_values(), depth_values("stuck:0.5@20")
    changed = [name for name in whole if whole[name] != spoilt[name]]
    assert changed
    for name in changed:
        assert spoilt[name][:39] == whole[name][:39]
        assert len(set(spoilt[name][39:])) == 1


def test_a_spiking_sensor_is_far_off_now_and_then() -> None:
    whole, spoilt = depth_values(), depth_values("spiking:1")
    jumps = [
        s - w for name in whole for w, s in zip(whole[name], spoilt[name], strict=True) if w != s
    ]
    assert min(jumps) >= 0.7
    assert 0.005 < len(jumps) / sum(map(len, whole.values())) < 0.03


def test_a_dead_sensor_says_nothing_more() -> None:
    whole, spoilt = depth_values(), depth_values("dead:0.5@20")
    dead = [name for name in whole if len(spoilt[name]) < len(whole[name])]
    assert 0.2 < len(dead) / len(whole) < 0.8
    assert {len(spoilt[name]) for name in dead} == {39}


def test_a_skewed_clock_shifts_event_times_and_not_ingest_times() -> None:
    whole = frames(steps(5))
    spoilt = frames(steps(5, spoil=["skewed-clock:-600/1"]))
    for before, after in zip(whole, spoilt, strict=True):
        assert (after.time_ms - before.time_ms == -600_000).all()
        assert after.ingest_ms == before.ingest_ms


def test_the_worst_gateway_is_the_one_with_most_flooded_points() -> None:
    whole = frames(steps(MINUTES))
    spoilt = frames(steps(MINUTES, spoil=["gateway-down:worst@30+5"]))
    missing = {(f.source, f.id) for f in whole} - {(f.source, f.id) for f in spoilt}
    gateways = {source for source, _ in missing}
    assert len(gateways) == 1
    assert len(missing) == 10  # five minutes, two frames a minute
    flooded: dict[str, int] = {}
    for frame in whole:
        if "depth" in frame.properties and frame.id.endswith(f"-{START_MS + 29 * 60_000}"):
            depth = frame.property == frame.properties.index("depth")
            flooded[frame.source] = int((frame.value[depth] >= 0.15).sum())
    assert flooded[gateways.pop()] == max(flooded.values()) > 0


def test_a_named_gateway_goes_down_and_comes_back() -> None:
    spoilt = frames(steps(20, spoil=["gateway-down:gw-331081-1@5+10"]))
    minutes = {(f.ingest_ms - START_MS) // 60_000 for f in spoilt if f.source == "gw-331081-1"}
    assert minutes == {0, 1, 2, 3, 4, 15, 16, 17, 18, 19, 20}


def test_late_frames_arrive_later_unchanged() -> None:
    whole = {(f.source, f.id): f for f in frames(steps(MINUTES))}
    spoilt = frames(steps(MINUTES, spoil=["late:0.3+10"]))
    late = [f for f in spoilt if f.ingest_ms != whole[f.source, f.id].ingest_ms]
    assert late
    for frame in late:
        before = whole[frame.source, frame.id]
        assert 600_000 <= frame.ingest_ms - before.ingest_ms <= 630_000
        assert (frame.value == before.value).all()
        assert (frame.time_ms == before.time_ms).all()


def test_duplicates_are_retries_and_repeated_readings() -> None:
    whole = frames(steps(MINUTES))
    spoilt = frames(steps(MINUTES, spoil=["duplicates:0.4"]))
    assert len(spoilt) > 1.2 * len(whole)
    ids = [(f.source, f.id) for f in spoilt]
    retried = len(ids) - len(set(ids))
    renamed = sum(f.id.endswith("-again") for f in spoilt)
    assert retried > 0
    assert renamed > 0
    assert retried + renamed == len(spoilt) - len(whole)


def test_out_of_order_loses_nothing_and_lets_frames_overtake() -> None:
    whole = frames(steps(MINUTES))
    spoilt = frames(steps(MINUTES, spoil=["out-of-order:0.3"]))
    newest: dict[str, int] = {}
    overtaken = 0
    for frame in spoilt:
        key = f"{frame.source} {frame.domain}"
        overtaken += int(frame.time_ms.max()) < newest.get(key, 0)
        newest[key] = max(newest.get(key, 0), int(frame.time_ms.max()))
    assert overtaken > 10
    missing = {(f.source, f.id) for f in whole} - {(f.source, f.id) for f in spoilt}
    assert all(i.endswith(f"-{START_MS + MINUTES * 60_000 - 30_000}") for _, i in missing)


def test_faults_keep_ingest_times_in_order_and_compose() -> None:
    spoil = ["late:0.2+3", "duplicates:0.2", "out-of-order:0.2", "dead:0.1", "stuck:0.1"]
    times = [f.ingest_ms for f in frames(steps(MINUTES, spoil=spoil))]
    assert times == sorted(times)


def test_wrong_faults_are_refused_all_at_once() -> None:
    wrong = ["melting", "stuck:2", "late:0.1+0", "dead:x", "gateway-down:worst@1+0"]
    wrong += ["drift:0.1+0", "drift:0.1+inf", "drift:0", "unit-change:2"]
    with pytest.raises(Misconfigured) as caught:
        faults.parse(wrong, 7, 0)
    assert len(caught.value.mistakes) == len(wrong)


def test_a_drifting_sensor_departs_slowly_to_one_side_and_counts_do_not_drift() -> None:
    whole, spoilt = frames(steps(MINUTES)), frames(steps(MINUTES, spoil=["drift:1@10+10"]))
    for name, per_day in (("air_temperature", 15.0), ("speed", 60.0)):
        true, read = series(whole, name), series(spoilt, name)
        sides = set()
        for sensor, (times, values) in true.items():
            days = np.maximum(times - START_MS - 600_000, 0) / 86_400_000
            off = read[sensor][1] - values
            sides.add(float(np.sign(off[-1])))
            assert np.abs(off) == pytest.approx(per_day * days, abs=0.001)
        assert sides == {-1.0, 1.0}
    for name in ("rain", "occupants", "open", "vehicle_count"):
        assert digest_of(series(spoilt, name)) == digest_of(series(whole, name))


def test_a_drift_never_goes_below_zero_but_in_degrees() -> None:
    found = frames(steps(MINUTES, "cold-wave", ["drift:1+5000"], start_ms=FROST_MS))
    assert min(v.min() for _, v in series(found, "depth").values()) == 0.0
    assert min(v.min() for _, v in series(found, "air_temperature").values()) < -50.0


def digest_of(found: dict[str, tuple[Int64, Float64]]) -> str:
    return repr({name: values.tolist() for name, (_, values) in found.items()})


@pytest.mark.parametrize(
    ("name", "factor", "offset"),
    [
        ("depth", 100.0, 0.0),
        ("co", 1000.0, 0.0),
        ("air_temperature", 1.8, 32.0),
        ("open", 1.0, 0.0),
    ],
)
def test_a_source_sends_another_unit_and_declares_the_old_one(
    name: str, factor: float, offset: float
) -> None:
    whole, spoilt = frames(steps(MINUTES)), frames(steps(MINUTES, spoil=["unit-change:1@20"]))
    assert [f.units for f in whole] == [f.units for f in spoilt]
    before = START_MS + 20 * 60_000
    for sensor, (_, values) in series(whole, name).items():
        sent = [ms for ms, _ in arrivals(whole, sensor, name)]
        after = np.array(sent) >= before
        changed = np.where(after, values * factor + offset, values)
        assert series(spoilt, name)[sensor][1] == pytest.approx(changed, abs=1e-4)
    assert name == "open" or digest_of(series(whole, name)) != digest_of(series(spoilt, name))


def test_only_the_chosen_sources_change_their_unit() -> None:
    fault = faults.parse(["unit-change:0.5@1"], 7, START_MS)[0]
    frame = next(f for f in frames(steps(5)) if "depth" in f.properties)
    wet = replace(frame, value=np.full(len(frame), 0.5))
    named = [replace(wet, source=f"gw-{number}") for number in range(200)]
    changed = [f for f in fault.apply(START_MS + 120_000, named) if f.value[0] != 0.5]
    assert 0.35 < len(changed) / 200 < 0.65
    assert {float(f.value[0]) for f in changed} == {50.0}
    assert fault.apply(START_MS, named) == named


def arrivals(found: list[Frame], sensor: str, name: str) -> list[tuple[int, int]]:
    """End of the step and row of each of the sensor's readings, in the order of sending."""
    return [
        (f.ingest_ms - f.ingest_ms % 30_000, row)
        for f in found
        if sensor in f.sensors and name in f.properties
        for row in np.flatnonzero(
            (f.sensor == f.sensors.index(sensor)) & (f.property == f.properties.index(name))
        ).tolist()
    ]


def test_defaults_are_small_shares() -> None:
    whole, spoilt = depth_values(), depth_values("stuck")
    changed = np.mean([whole[name] != spoilt[name] for name in whole])
    assert changed <= 0.1
