"""One county that reports every second in frames of any size, with everything that goes wrong.

What the small city sends a minute apart comes densely here, so that frames are taken in runs; and
every kind of frame that must stand apart occurs among them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from streams.catalog import Area, Gateway, Registry, Sensor
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.domain import Point
from streams.contracts.frame import Frame, Record
from streams.contracts.reason import Origin
from tests.support.small_city import AIR

START_MS = 1_786_896_000_000
COUNTY = "330106"
DEPTHS = 12
TRAFFIC = ("travel_time", "speed", "vehicle_count")
Line = tuple[str, str, int, float]  # sensor, property, time, value


def registry() -> Registry:
    """Flood points of two gateways, a gauge, an air station, a link, two shelters."""
    areas = {
        "330000": Area("330000", "province", None, "浙江省", "Zhejiang"),
        "330100": Area("330100", "city", "330000", "杭州市", "Hangzhou"),
        COUNTY: Area(COUNTY, "county", "330100", "西湖区", "Xihu"),
    }
    points: dict[str, Point] = {}
    sensors: dict[str, Sensor] = {}

    def add(
        name: str, kind: str, properties: tuple[str, ...], gateway: str, report_s: int, **more: str
    ) -> None:
        points[name] = Point(name, kind, COUNTY, name, None, None, more)
        sensors[name] = Sensor(len(sensors) + 1, name, name, gateway, properties, report_s)

    for n in range(DEPTHS):
        linked = {"link": "l0"} if n == 0 else {}
        add(f"p{n}", "flood_point", ("depth",), f"/gw/{n % 2}", 1, gauge="g", **linked)
    add("g", "rain_gauge", ("rain",), "/gw/0", 60)
    add("a", "air_station", AIR, "/gw/1", 3600)
    add("w", "weather_station", ("wind_speed", "air_temperature"), "/gw/1", 60)
    add("l0", "road_link", TRAFFIC, "/gw/1", 60, length_m="1000", free_flow_kmh="60")
    for n in range(2):
        add(f"s{n}", "shelter", ("occupants", "open"), "/gw/1", 60, capacity="100", hazards="flood")
    gateways = {name: Gateway(name, COUNTY) for name in ("/gw/0", "/gw/1")}
    return Registry(areas, points, sensors, gateways, {COUNTY: 0}, 1)


def records(seed: int, seconds: int = 420) -> list[Record]:
    """The log of so many seconds, its registry's activation first and a late tick last."""
    rng = np.random.default_rng(seed)
    entries = [encode_control("registry", registry().version, START_MS - 1000)]
    sent: list[Frame] = []
    peak, clock = rng.uniform(0, 0.5, DEPTHS) * (rng.random(DEPTHS) < 0.6), START_MS
    trouble = float(rng.choice([0.0, 0.01, 0.05]))
    for second in range(seconds):
        now = START_MS + 1000 * second
        for frame in _frames(rng, now, _depths(rng, now, second, peak), second):
            frame = _spoilt(rng, frame) if rng.random() < trouble else frame
            clock = max(clock, frame.ingest_ms) if rng.random() < 0.99 else clock
            sent.append(replace(frame, ingest_ms=max(frame.ingest_ms, clock)))
            entries.append(encode(sent[-1]))
            if rng.random() < trouble:
                entries.append(encode(sent[int(rng.integers(0, len(sent)))]))
        if rng.random() < 0.5:
            entries.append(encode_tick(now + 900))
    entries.append(encode_tick(START_MS + 1000 * (seconds + 7200)))
    return [Record(i, START_MS, *entry) for i, entry in enumerate(entries)]


def steady(seconds: int, wrong: range) -> list[Record]:
    """A frame and a tick a second, of dry points; in the seconds of `wrong` a row is no number."""
    entries = [encode_control("registry", registry().version, START_MS - 1000)]
    for second in range(seconds):
        now = START_MS + 1000 * second
        lines = [(f"p{n}", "depth", now, 0.0) for n in range(0, DEPTHS, 2)]
        if second in wrong:
            lines[0] = (*lines[0][:3], np.nan)
        entries.append(encode(_frame("waterlogging", "/gw/0", f"{second}", now, lines)))
        entries.append(encode_tick(now + 900))
    return [Record(i, START_MS, *entry) for i, entry in enumerate(entries)]


def _depths(
    rng: np.random.Generator, now: int, second: int, peak: np.typing.NDArray[np.float64]
) -> list[Line]:
    lines: list[Line] = []
    height = max(0.0, float(np.sin(second / 300 * np.pi)))
    for n in range(DEPTHS):
        if n == 3 and 100 < second < 300:
            continue  # a silent sensor
        if n % 2 and 200 < second < 330 and peak[0] > 0.2:
            continue  # a silent gateway
        depth = 0.2 if n == 5 else peak[n] * height + float(rng.normal(0, 0.001)) * (peak[n] > 0)
        lines.append((f"p{n}", "depth", now + int(rng.integers(-300, 300)), round(depth, 3)))
    return lines


def _frames(rng: np.random.Generator, now: int, depths: list[Line], second: int) -> list[Frame]:
    """The second's lines in frames by gateway; sometimes one reading each."""
    found, size = [], int(rng.choice([1, 4, 100]))
    for gateway in (0, 1):
        mine = [d for d in depths if int(d[0][1:]) % 2 == gateway]
        for begin in range(0, len(mine), size):
            part, name = mine[begin : begin + size], f"{second}-{gateway}-{begin}"
            found.append(_frame("waterlogging", f"/gw/{gateway}", name, now, part))
    if second % 60 == 0:
        begun, minute = now - 60_000, f"m{second}"
        found.append(_frame("weather", "/gw/0", minute, now, [("g", "rain", begun, 2.0)]))
        station: list[Line] = [
            ("w", "wind_speed", now, 11.0 + second % 5),
            ("w", "air_temperature", now, 25.5),
        ]
        found.append(_frame("weather", "/gw/1", f"w{second}", now, station))
        road: list[Line] = [("l0", p, begun, 30.0 + second % 7) for p in TRAFFIC]
        found.append(_frame("traffic", "/gw/1", minute, now, road))
        home: list[Line] = [(f"s{n}", "occupants", now, 10.0 * n + second % 9) for n in range(2)]
        home += [(f"s{n}", "open", now, 1.0) for n in range(2)]
        found.append(_frame("shelter", "/gw/1", minute, now, home))
    if second in (5, 7, 9):
        hour = START_MS - 3_600_000 * (10 - second)
        lines: list[Line] = [("a", p, hour, 30.0 + second) for p in AIR]
        found.append(_frame("air", "/gw/1", f"h{second}", now, lines))
    rng.shuffle(found)
    return found


def _spoilt(rng: np.random.Generator, frame: Frame) -> Frame:
    """The frame with one thing wrong."""
    row, time_ms, value = int(rng.integers(0, len(frame))), frame.time_ms.copy(), frame.value.copy()
    match int(rng.integers(0, 9)):
        case 0:
            value[row] += 0.8  # a spike, perhaps a jump
        case 1:
            value[row] = 4.0  # out of range
        case 2:
            value[row] = np.nan
        case 3:
            time_ms[row] -= int(rng.integers(1, 200)) * 1000  # out of order
        case 4:
            time_ms[row] += 900_000  # ahead of time
        case 5:
            time_ms[row] -= 3 * 3_600_000  # late
        case 6:
            return replace(frame, sensors=("nobody", *frame.sensors[1:]))
        case 7:
            return replace(frame, flag=np.full(len(frame), 4, np.int8))
        case _:
            time_ms[:] = time_ms[0]
    return replace(frame, time_ms=time_ms, value=value)


def _frame(domain: str, source: str, name: str, now: int, lines: list[Line]) -> Frame:
    sensors = tuple(sorted({line[0] for line in lines}))
    properties = tuple(sorted({line[1] for line in lines}))
    return Frame(
        source=source,
        id=f"{domain}-{name}",
        domain=domain,
        area=COUNTY,
        origin=Origin.SIMULATED,
        ingest_ms=now + 800,
        sensors=sensors,
        properties=properties,
        units=None,
        sensor=np.array([sensors.index(line[0]) for line in lines], np.int32),
        property=np.array([properties.index(line[1]) for line in lines], np.int32),
        time_ms=np.array([line[2] for line in lines], np.int64),
        value=np.array([line[3] for line in lines], np.float64),
    )
