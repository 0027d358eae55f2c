"""The city as a whole: same seed, same bytes; a typhoon floods, an ordinary day does not."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest

from deploy.city.zhejiang.build import build_registry
from sensors.simulation.chemistry import (
    WASH_PER_MM,
    Hour,
    Site,
    concentrations,
    layer,
    light,
    wash,
)
from sensors.simulation.city import run
from sensors.simulation.player import due
from sensors.simulation.scenario import SCENARIOS, parse_start, players
from streams.contracts.domain import Domain, PointType, Property, Title
from streams.contracts.frame import Frame
from streams.contracts.reason import Origin
from streams.domains import find_domains
from streams.errors import Misconfigured
from tests.support.simulated import START_MS, digest, frames, series, steps
from tests.support.zhejiang import registry_of, zhejiang


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert digest(frames(steps(20))) == digest(frames(steps(20)))


def test_the_readings_are_those_of_every_other_machine() -> None:
    """A change of the physics changes these figures; a change of the machine must not."""
    found = frames(steps(95))
    assert {f.domain for f in found} == set(find_domains())
    assert {name: readings_digest(found, name) for name in GOLDEN} == GOLDEN


def readings_digest(found: Sequence[Frame], name: str) -> str:
    """A short hash of all times and values of a property."""
    rows = {s: (t.tolist(), v.tolist()) for s, (t, v) in series(found, name).items()}
    return hashlib.sha256(repr(sorted(rows.items())).encode()).hexdigest()[:12]


def test_another_seed_gives_other_readings() -> None:
    assert digest(frames(steps(20))) != digest(frames(steps(20, seed=8)))


def test_everything_says_that_it_is_simulated() -> None:
    assert {f.origin for f in frames(steps(40))} == {Origin.SIMULATED}


def test_depths_come_twice_a_minute_and_rain_every_minute_from_its_start() -> None:
    found = frames(steps(10))
    for times, _ in series(found, "depth").values():
        assert np.diff(times).tolist() == [30_000] * 19
    for times, _ in series(found, "rain").values():
        assert ((times - START_MS) // 60_000).tolist() == list(range(10))
        assert not (times % 60_000).any()


def test_ingest_follows_the_event_and_ticks_come_every_ten_seconds() -> None:
    played = list(steps(10))
    for frame in frames(played):
        assert (frame.time_ms < frame.ingest_ms).all()
    ticks = [t for step in played for t in step.ticks_ms]
    assert {b - a for a, b in pairwise(ticks)} == {10_000}


def test_ingest_times_never_go_back() -> None:
    times = [f.ingest_ms for f in frames(steps(60, registry=registry_of(200)))]
    assert times == sorted(times)


def test_readings_are_whole_millimetres_tenths_of_rain_and_what_the_feed_prints() -> None:
    found = frames(steps(45))
    for name, digits in (("depth", 3), ("rain", 1), ("pm25", 0), ("o3", 0), ("co", 1)):
        values = np.concatenate([v for _, v in series(found, name).values()])
        assert (values == np.round(values, digits)).all()
        assert (values >= 0).all()


def test_the_typhoon_floods_ten_minutes_after_its_start_and_first_ponds_drain_within_the_hour() -> (
    None
):
    found = series(frames(steps(60, registry=registry_of(200))), "depth")
    first = min(
        (int(t[np.argmax(v >= 0.15)]) for t, v in found.values() if (v >= 0.15).any()),
        default=0,
    )
    assert 8 <= (first - START_MS) / 60_000 <= 20
    drained = [v for _, v in found.values() if v.max() >= 0.15 and v[-1] < 0.13]
    assert drained


def test_a_dry_street_reads_zero_and_most_points_stay_dry_in_an_ordinary_day() -> None:
    found = series(frames(steps(24 * 60, "ordinary", only="waterlogging")), "depth")
    dry = [v for _, v in found.values() if not v.any()]
    assert len(dry) > 0.9 * len(found)
    assert max(float(v.max()) for _, v in found.values()) < 0.15


def test_floods_rise_faster_than_they_fall() -> None:
    found = series(frames(steps(15 * 60, only="waterlogging")), "depth")
    flooded = [v for _, v in found.values() if v.max() >= 0.3]
    assert flooded
    rises = [int(v.argmax()) - int((v >= 0.05).argmax()) for v in flooded]
    falls = [len(v) - int((v[::-1] >= 0.05).argmax()) - int(v.argmax()) for v in flooded]
    assert np.median(falls) > 2 * 60  # more than an hour, two readings a minute
    assert np.median(np.array(rises) + np.array(falls)) < 20 * 120


def test_air_is_hourly_with_six_pollutants_and_the_start_of_the_hour() -> None:
    found = [f for f in frames(steps(180)) if f.domain == "air"]
    assert found
    for frame in found:
        assert len(frame) == 6 * len(frame.sensors)
        assert not (frame.time_ms % 3_600_000).any()
        assert frame.ingest_ms - int(frame.time_ms[0]) > 3_600_000
    hours = {int(f.time_ms[0]) for f in found}
    assert len(hours) == 3


def test_ozone_peaks_in_the_afternoon_and_traffic_gases_in_the_rush_hours() -> None:
    day = [concentrations(TOWN, weather(hour)) for hour in range(24)]
    ozone = [float(found["o3"][0]) for found in day]
    nitrogen = [float(found["no2"][0]) for found in day]
    assert 11 <= int(np.argmax(ozone)) <= 16
    assert int(np.argmax(nitrogen)) in (7, 8, 18, 19, 20)
    assert max(ozone) > 2 * ozone[5]


def test_wind_thins_and_rain_washes_particles_out() -> None:
    still, windy = weather(10), weather(10, wind_m_s=10.0)
    assert concentrations(TOWN, windy)["pm25"] < 0.6 * concentrations(TOWN, still)["pm25"]
    left = wash(np.ones(1), np.array([20.0]), WASH_PER_MM["pm10"])
    assert 0.1 < left[0] < 0.3
    rainy = weather(10, washed=float(left[0]))
    assert concentrations(TOWN, rainy)["pm10"] < 0.3 * concentrations(TOWN, still)["pm10"]


def test_air_recovers_in_dry_hours() -> None:
    left = np.array([0.2])
    for _ in range(24):
        left = wash(left, np.zeros(1), WASH_PER_MM["pm10"])
    assert left[0] > 0.95


def test_haze_is_dust_that_dims_the_light_and_heat_makes_ozone() -> None:
    clear, hazy, hot = weather(13), weather(13, haze=9.0), weather(13, temperature_c=40.0)
    assert concentrations(TOWN, hazy)["pm25"] > 5 * concentrations(TOWN, clear)["pm25"]
    assert concentrations(TOWN, hazy)["o3"] < concentrations(TOWN, clear)["o3"]
    assert concentrations(TOWN, hot)["o3"] > 1.1 * concentrations(TOWN, clear)["o3"]


GOLDEN = {
    "depth": "f0e3e5d2a17e",
    "rain": "c98b62bf15fc",
    "pm25": "0cd31b2abedc",
    "o3": "aeaadfda115b",
    "air_temperature": "e166302dab3d",
    "gust": "60a684454e5a",
    "speed": "6dcc1755ffaa",
    "vehicle_count": "bd0c6721d938",
    "occupants": "fcaa9996c877",
    "check_in": "818d15abd7dc",
}
TOWN = Site(*(np.ones(1) for _ in range(3)))
AUGUST = (5.3, 18.7)


def weather(
    hour: int,
    wind_m_s: float = 2.4,
    washed: float = 1.0,
    haze: float = 1.0,
    temperature_c: float = 30.0,
) -> Hour:
    return Hour(
        local_hour=hour + 0.5,
        sun=light(hour + 0.5, np.array([0.2]), AUGUST),
        layer=np.array([layer(hour + 0.5, AUGUST)]),
        temperature_c=np.array([temperature_c]),
        haze=np.array([haze]),
        wind_m_s=np.array([wind_m_s]),
        washed={name: np.array([washed]) for name in WASH_PER_MM},
        air_mass=1.0,
    )


def test_starts_are_shanghai_time_unless_they_say_otherwise() -> None:
    assert parse_start("2026-08-11T08:00") == parse_start("2026-08-11T00:00+00:00")
    with pytest.raises(ValueError, match="whole minute"):
        parse_start("2026-08-11T08:00:30")


def test_every_scenario_plays_every_domain() -> None:
    domains = find_domains()
    for scenario in SCENARIOS.values():
        world = scenario.world(registry_of(20), 1, scenario.start_ms())
        assert [p.domain for p in players(world, domains.values())] == sorted(domains)


NOISE = Domain(
    "noise",
    Title("噪声", "Noise"),
    (
        Property(
            "noise_db", "dB", 1, Title("声级", "Level"), Decimal(20), Decimal(140), report_s=60
        ),
    ),
    (PointType("microphone", Title("声级计", "Microphone")),),
)


def test_a_domain_without_physics_is_played_too() -> None:
    registry = build_registry(zhejiang(), 20, 7, 4, [NOISE])
    world = SCENARIOS["ordinary"].world(registry, 7, START_MS)
    found = frames(run(world, players(world, [NOISE]), (), START_MS + 600_000))
    times, values = series(found, "noise_db")["noise-331081-1-s"]
    assert np.diff(times).tolist() == [60_000] * 9
    assert (values > 20).all()
    assert (values < 140).all()
    assert len(set(values.tolist())) > 1
    assert {f.source for f in found} == {"gw-331081-noise"}
    assert found[0].units == ("dB",)


def test_an_interval_is_sent_when_it_is_over() -> None:
    hourly = replace(NOISE.properties[0], interval_s=3600)
    assert due(hourly, parse_start("2026-08-06T08:00")).tolist() == [
        parse_start("2026-08-06T07:00")
    ]
    assert due(hourly, parse_start("2026-08-06T08:01")).tolist() == []


def test_a_domain_that_names_no_player_is_refused() -> None:
    wrong = replace(NOISE, simulated="nowhere")
    with pytest.raises(Misconfigured, match=r"sensors\.simulation\.nowhere"):
        players(SCENARIOS["ordinary"].world(registry_of(20), 7, START_MS), [wrong])
