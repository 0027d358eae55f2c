"""Laws of the simulation: no water is lost, no fault turns time back or speaks for real."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.simulation import basin, faults
from streams.contracts.reason import Origin
from tests.support.simulated import frames, steps

SHARES = st.sampled_from(["0.05", "0.3", "1", "0.5@3"])
FAULTS = st.sampled_from(sorted(faults.KINDS)).flatmap(
    lambda kind: SHARES.map(
        lambda share: {
            "skewed-clock": f"skewed-clock:-400/{share}",
            "gateway-down": "gateway-down:worst@3+2",
            "late": f"late:{share}+2",
        }.get(kind, f"{kind}:{share}")
    )
)


@given(
    rain=st.lists(st.integers(0, 2_000), min_size=1, max_size=60),
    runoff=st.integers(0, 1_000),
    delay=st.integers(1, 4_000),
    drain=st.integers(0, 120_000),
    fill=st.integers(1_000, 60_000),
    brim=st.integers(1_000, 900_000),
    tidal=st.booleans(),
    sea=st.integers(-2_000, 3_500),
)
def test_water_is_neither_lost_nor_made(
    rain: list[int],
    runoff: int,
    delay: int,
    drain: int,
    fill: int,
    brim: int,
    tidal: bool,
    sea: int,
) -> None:
    places = basin.Places(
        *(np.array([v]) for v in (runoff, delay, drain, fill, brim, int(tidal), 1_900))
    )
    water = basin.Water.none(1)
    for fall in rain:
        basin.advance(places, water, np.array([fall]), sea, 30)
        came = water.rained + water.from_sea
        went = water.runoff + water.pond + water.drained + water.spilled
        assert came == went
        assert min(water.runoff[0], water.pond[0], water.stage[0]) >= 0
        assert water.pond[0] <= brim


@given(pond=st.lists(st.integers(0, 10**7), min_size=2, max_size=20))
def test_more_water_is_never_shallower(pond: list[int]) -> None:
    ordered = np.sort(np.array(pond))
    places = basin.Places(*(np.full(len(pond), v) for v in (0, 0, 0, 10_000, 0, 0, 0)))
    assert (np.diff(basin.depth_m(places, ordered)) >= 0).all()


@settings(max_examples=15, deadline=None)
@given(spoil=st.lists(FAULTS, max_size=4))
def test_no_mix_of_faults_turns_ingest_time_back_or_changes_the_origin(spoil: list[str]) -> None:
    newest: dict[str, int] = {}
    for frame in frames(steps(8, spoil=spoil)):
        assert frame.origin is Origin.SIMULATED
        assert frame.ingest_ms >= newest.get(frame.area, 0)
        newest[frame.area] = frame.ingest_ms
        assert len(frame) > 0
