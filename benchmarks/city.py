"""A city under a typhoon as a ready log: depth readings of one area a frame, at 1 Hz.

A fifth of the sensors stands in water that rises and falls; the rest reports a dry bottom. Every
hour the air stations speak, every minute the rain gauges, and as often as `OTHERS` says the points
of the other domains that are installed. Seeded: same numbers, same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from streams.catalog import Area, Gateway, Registry, Sensor
from streams.contracts.codec import encode, encode_tick
from streams.contracts.domain import Point
from streams.contracts.frame import JSON, MSGPACK, Frame
from streams.contracts.reason import Origin
from streams.domains import find_domains
from streams.log import Entry

START_MS = 1_785_600_000_000
WET_SHARE = 0.2
POLLUTANTS = ("pm25", "pm10", "so2", "no2", "o3", "co")


@dataclass(frozen=True, slots=True)
class Other:
    """Points of another domain in each county: usual values, moved by the second in the storm."""

    domain: str
    kind: str
    count: int
    every_s: int
    usual: tuple[tuple[str, float], ...]
    interval: bool  # event time = its start, else now
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Size:
    """How large a city is. `bundle` seconds of an area's depth readings make one frame; with
    `single` every reading is a record of its own."""

    areas: int = 8
    sensors: int = 500  # depth sensors of an area
    partitions: int = 4
    bundle: int = 1
    json: bool = False
    single: bool = False

    def codes(self) -> list[str]:
        """Area codes of the counties."""
        return [f"33{1 + n // 80:02d}{2 + n % 80:02d}" for n in range(self.areas)]

    def partition(self, number: int) -> int:
        """Of the area with this number."""
        return number % self.partitions


DEFAULT = Size()
INSTALLED = find_domains()
OTHERS = tuple(
    other
    for other in (
        Other(
            "weather",
            "weather_station",
            2,
            60,
            (("wind_speed", 12.0), ("gust", 19.0), ("air_temperature", 26.0)),
            False,
        ),
        Other(
            "traffic",
            "road_link",
            20,
            300,
            (("travel_time", 70.0), ("speed", 36.0), ("vehicle_count", 80.0)),
            True,
            (("length_m", "700"), ("free_flow_kmh", "50"), ("road_class", "trunk")),
        ),
        Other(
            "shelter",
            "shelter",
            4,
            300,
            (("occupants", 120.0), ("open", 1.0)),
            False,
            (("capacity", "300"), ("class", "short"), ("hazards", "flood,typhoon")),
        ),
    )
    if other.domain in INSTALLED
)
STEADY = ("open",)


def registry(size: Size = DEFAULT) -> Registry:
    """Counties with flood points, a rain gauge, and two air stations each."""
    codes = size.codes()
    counties = [
        Area(code, "county", f"{code[:4]}00", f"区{code}", f"County {code}") for code in codes
    ]
    parents = [Area("330000", "province", None, "浙江省", "Zhejiang")] + [
        Area(city, "city", "330000", f"市{city}", f"City {city}")
        for city in sorted({area.parent for area in counties if area.parent})
    ]
    points: dict[str, Point] = {}
    sensors: dict[str, Sensor] = {}

    def add(
        name: str,
        kind: str,
        code: str,
        properties: tuple[str, ...],
        report_s: int,
        attributes: tuple[tuple[str, str], ...] = (("inventory", "2020"),),
    ) -> None:
        points[name] = Point(name, kind, code, name, 120.0, 30.0, dict(attributes))
        sensors[name] = Sensor(0, name, name, f"gw-{code}", properties, report_s)

    for code in codes:
        for number in range(size.sensors):
            add(f"d-{code}-{number:03d}", "flood_point", code, ("depth",), 1)
        add(f"r-{code}", "rain_gauge", code, ("rain",), 60)
        for number in range(2):
            add(f"a-{code}-{number}", "air_station", code, POLLUTANTS, 3600)
        for other, number in ((o, n) for o in OTHERS for n in range(o.count)):
            measured = tuple(name for name, _ in other.usual)
            name = f"{other.kind}-{code}-{number:02d}"
            add(name, other.kind, code, measured, other.every_s, other.attributes)
    return Registry(
        areas={area.code: area for area in parents + counties},
        points=points,
        sensors=sensors,
        gateways={f"gw-{code}": Gateway(f"gw-{code}", code) for code in codes},
        partitions={code: size.partition(number) for number, code in enumerate(codes)},
        partition_count=size.partitions,
    )


def seconds(
    count: int, seed: int = 1, size: Size = DEFAULT, start_ms: int = START_MS
) -> Iterator[list[tuple[int, Entry]]]:
    """For each second of the storm the records with their partitions, a tick of each last."""
    encoding = JSON if size.json else MSGPACK
    storm = Storm(size, seed)
    waiting: list[np.typing.NDArray[np.float64]] = []
    for second in range(count):
        now_ms = start_ms + second * 1000
        waiting.append(storm.depth(second))
        full = len(waiting) == size.bundle or second == count - 1
        records: list[tuple[int, Entry]] = []
        for number, code in enumerate(size.codes()):
            frames = [_depth(code, now_ms, [d[number] for d in waiting])] if full else []
            if second % 60 == 0:
                frames.append(_rain(code, now_ms, second))
            if second % 3600 == 0:
                frames.append(_air(code, now_ms, second))
            frames += [_other(o, code, now_ms, second) for o in OTHERS if second % o.every_s == 0]
            frames = [piece for frame in frames for piece in _pieces(frame, size)]
            records += [(size.partition(number), encode(frame, encoding)) for frame in frames]
        waiting = [] if full else waiting
        records += [(partition, encode_tick(now_ms + 900)) for partition in range(size.partitions)]
        yield records


def _pieces(frame: Frame, size: Size) -> Iterator[Frame]:
    if not size.single:
        yield frame
        return
    for row in range(len(frame)):
        one = slice(row, row + 1)
        yield replace(
            frame,
            id=f"{frame.id}-{row}",
            sensors=(frame.sensors[int(frame.sensor[row])],),
            properties=(frame.properties[int(frame.property[row])],),
            sensor=np.zeros(1, np.int32),
            property=np.zeros(1, np.int32),
            time_ms=frame.time_ms[one],
            value=frame.value[one],
        )


class Storm:
    """Depths of every depth sensor by the second."""

    def __init__(self, size: Size, seed: int) -> None:
        self._shape = (size.areas, size.sensors)
        self._chance = np.random.default_rng(seed)
        self._wet = self._chance.random(self._shape) < WET_SHARE
        self._peak_m = self._chance.uniform(0.02, 0.6, self._shape) * self._wet
        self._lag_s = self._chance.uniform(0, 600, self._shape)

    def depth(self, second: int) -> np.typing.NDArray[np.float64]:
        """Metres, by area and sensor."""
        stage = np.clip(np.sin((second - self._lag_s) / 900 * np.pi), 0, None)
        noise = self._chance.normal(0, 0.001, self._shape) * self._wet
        depth: np.typing.NDArray[np.float64] = np.clip(self._peak_m * stage + noise, 0, None)
        return np.round(depth, 3)


def _depth(code: str, now_ms: int, depths: list[np.typing.NDArray[np.float64]]) -> Frame:
    """The last `len(depths)` seconds of an area, in their order."""
    count, sensors = len(depths), len(depths[0])
    names = tuple(f"d-{code}-{number:03d}" for number in range(sensors))
    jitter = np.arange(sensors, dtype=np.int64) % 200
    begun = now_ms - 1000 * np.arange(count - 1, -1, -1, dtype=np.int64)
    time = (begun[:, None] + jitter[None, :]).ravel()
    return _frame(
        code, "waterlogging", names, ("depth",), time, np.concatenate(depths), now_ms + 800
    )


def _rain(code: str, now_ms: int, second: int) -> Frame:
    time = np.array([now_ms - 60_000], np.int64)
    rain = np.array([0.5 + second % 7 * 0.2])
    return _frame(code, "weather", (f"r-{code}",), ("rain",), time, rain, now_ms + 800)


def _air(code: str, now_ms: int, second: int) -> Frame:
    names = (f"a-{code}-0", f"a-{code}-1")
    value = np.array([35.0, 60, 8, 30, 80, 0.7, 38, 66, 9, 33, 77, 0.8]) + second % 5
    time = np.full(12, now_ms - 3_600_000, np.int64)
    return _frame(code, "air", names, POLLUTANTS, time, value, now_ms + 800)


def _other(other: Other, code: str, now_ms: int, second: int) -> Frame:
    names = tuple(f"{other.kind}-{code}-{number:02d}" for number in range(other.count))
    properties = tuple(name for name, _ in other.usual)
    value = [
        usual if name in STEADY else usual + (number + second // other.every_s) % 7
        for number, (name, usual) in product(range(other.count), other.usual)
    ]
    begin_ms = now_ms - 1000 * other.every_s if other.interval else now_ms
    time = np.full(len(value), begin_ms, np.int64)
    return _frame(code, other.domain, names, properties, time, np.array(value), now_ms + 800)


def _frame(
    code: str,
    domain: str,
    names: tuple[str, ...],
    properties: tuple[str, ...],
    time_ms: np.typing.NDArray[np.int64],
    value: np.typing.NDArray[np.float64],
    ingest_ms: int,
) -> Frame:
    count = len(time_ms)
    row = np.arange(count, dtype=np.int32)
    return Frame(
        source=f"gw-{code}",
        id=f"{domain}-{int(time_ms[0])}-{properties[0]}",
        domain=domain,
        area=code,
        origin=Origin.SIMULATED,
        ingest_ms=ingest_ms,
        sensors=names,
        properties=properties,
        units=None,
        sensor=(row // len(properties) % len(names)).astype(np.int32),
        property=(row % len(properties)).astype(np.int32),
        time_ms=time_ms,
        value=value,
    )
