"""Each fault does what its name says, to the share that was asked for, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from sensors.simulation import faults
from streams.errors import Misconfigured
from tests.support.simulated import START_MS, digest, frames, series, steps

MINUTES = 40


def depth_values(*spoil: str) -> dict[str, list[float]]:
    found = series(frames(steps(MINUTES, spoil=spoil)), "depth")
    return {name: v.tolist() for name, (_, v) in found.items()}


@pytest.mark.parametrize("kind", sorted(faults.KINDS))
def test_a_fault_is_deterministic_and_changes_something(kind: str) -> None:
    spoil = [
        {"skewed-clock": "skewed-clock:900/1", "gateway-down": "gateway-down:worst@20+5"}.get(
            kind, f"{kind}:0.5"
        )
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
    with pytest.raises(Misconfigured) as caught:
        faults.parse(wrong, 7, 0)
    assert len(caught.value.mistakes) == len(wrong)


def test_defaults_are_small_shares() -> None:
    whole, spoilt = depth_values(), depth_values("stuck")
    changed = np.mean([whole[name] != spoilt[name] for name in whole])
    assert changed <= 0.1
