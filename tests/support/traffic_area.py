"""An area with road links: as the pipeline would show it to the domain, and as a log of frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from streams.area.view import build_view
from streams.catalog import Area, Gateway, Profile, Registry, Sensor
from streams.contracts.domain import AreaView, Closing, HourMatrix, Outputs, Point, Rows
from streams.contracts.frame import Frame, Int32
from streams.contracts.reason import Origin
from streams.domains.traffic import DOMAIN
from streams.domains.traffic.link import SPEED, TRAVEL_TIME, VEHICLES
from streams.domains.traffic.watch import TrafficState, close, initial
from tests.support.small_city import START_MS, Sent

COUNTY = "330106"
MIN_MS = 60_000
FIVE_MIN_MS = 5 * MIN_MS
SCALES = {TRAVEL_TIME: 1000, SPEED: 1000, VEHICLES: 1}
PROPERTIES = ("travel_time", "speed", "vehicle_count")

Values = Mapping[int, float]
"""A link's readings of one interval in units, by property number."""


def link(name: str = "a", **attributes: str) -> Point:
    """A road link of 1 km with a free flow of 60 km/h, unless told; an empty text takes it away."""
    stated = {"length_m": "1000", "free_flow_kmh": "60", **attributes}
    kept = {key: value for key, value in stated.items() if value}
    return Point(name, "road_link", COUNTY, name, None, None, kept)


def registry_of(points: Sequence[Point], properties: Sequence[str] = PROPERTIES) -> Registry:
    """The links with a sensor each; flood points with one for depth."""
    areas = {
        "330000": Area("330000", "province", None, "浙江省", "Zhejiang"),
        "330100": Area("330100", "city", "330000", "杭州市", "Hangzhou"),
        COUNTY: Area(COUNTY, "county", "330100", "西湖区", "Xihu"),
    }
    sensors: dict[str, Sensor] = {}
    for number, point in enumerate(points, 1):
        measured = tuple(properties) if point.type == "road_link" else ("depth",)
        sensors[point.id] = Sensor(number, point.id, point.id, "gw", measured)
    held = {point.id: point for point in points}
    return Registry(areas, held, sensors, {"gw": Gateway("gw", COUNTY)}, {COUNTY: 0}, 1)


def view_of(
    points: Sequence[Point],
    parameters: Mapping[str, str] | None = None,
    properties: Sequence[str] = PROPERTIES,
) -> AreaView:
    """What the domain sees of these links."""
    profile = Profile("test", dict(parameters or {}))
    return build_view(DOMAIN, COUNTY, registry_of(points, properties), profile, None)


def series_of(view: AreaView, link_id: str, prop: int) -> int:
    """The number of a series."""
    return next(
        s
        for s in range(len(view.series_point))
        if view.points[view.series_point[s]].id == link_id and view.series_property[s] == prop
    )


def scaled(prop: int, value: float) -> int:
    return round(value * SCALES[prop])


@dataclass
class Street:
    """The domain by hand: one closing after the other, as the watermark would call it."""

    view: AreaView
    state: TrafficState = field(init=False)
    end_ms: int = 0

    def __post_init__(self) -> None:
        self.state = initial(self.view, None)

    def pass_by(
        self, start_ms: int, values: Mapping[str, Values], revised: bool = False
    ) -> Outputs:
        """Closes (or revises) the five minutes from `start_ms` with these readings by link."""
        rows = sorted(
            (series_of(self.view, name, prop), start_ms, scaled(prop, value), 1)
            for name, own in values.items()
            for prop, value in own.items()
        )
        self.end_ms = max(self.end_ms, start_ms + FIVE_MIN_MS)
        closing = Closing(
            start_ms=start_ms,
            end_ms=start_ms + FIVE_MIN_MS,
            decided_ms=self.end_ms + MIN_MS,
            position=0,
            rows=_rows(rows),
            history=NoHistory(),
            revised=revised,
            day=None,
            closed_ms=self.end_ms,
        )
        self.state, outputs = close(self.state, self.view, closing)
        return outputs

    def drive(self, speeds: Iterable[float], start_ms: int = START_MS, name: str = "a") -> Outputs:
        """Intervals of one link in a row; the outputs of the last."""
        outputs = Outputs()
        for number, speed in enumerate(speeds):
            outputs = self.pass_by(start_ms + number * FIVE_MIN_MS, {name: {SPEED: speed}})
        return outputs


class NoHistory:
    """The domain keeps what it needs: it never looks back."""

    def between(self, series: Int32, start_ms: int, end_ms: int) -> Rows:
        raise AssertionError("traffic reads no history")


def matrix_of(view: AreaView, hours: Mapping[int, Mapping[str, Sequence[Values]]]) -> HourMatrix:
    """The day's hour windows from intervals by hour and link."""
    shape = (len(view.series_point), 24)
    n, total = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for hour, links in hours.items():
        for name, intervals in links.items():
            for values in intervals:
                for prop, value in values.items():
                    at = series_of(view, name, prop), hour
                    n[at] += 1
                    total[at] += scaled(prop, value)
    nothing = np.zeros(shape, np.int64)
    return HourMatrix(START_MS, n, nothing, total, nothing.copy(), nothing.copy())


@dataclass(frozen=True)
class Reading:
    sensor: str
    property: str
    time_ms: int
    value: float


def frame(number: int, ingest_ms: int, domain: str, readings: Sequence[Reading]) -> Sent:
    """One frame of one domain."""
    sensors = sorted({r.sensor for r in readings})
    properties = sorted({r.property for r in readings})
    return Sent(
        Frame(
            source="gw",
            id=f"{domain}-{number}",
            domain=domain,
            area=COUNTY,
            origin=Origin.LIVE,
            ingest_ms=ingest_ms,
            sensors=tuple(sensors),
            properties=tuple(properties),
            units=None,
            sensor=np.array([sensors.index(r.sensor) for r in readings], np.int32),
            property=np.array([properties.index(r.property) for r in readings], np.int32),
            time_ms=np.array([r.time_ms for r in readings], np.int64),
            value=np.array([r.value for r in readings], np.float64),
        )
    )


def _rows(rows: Sequence[tuple[int, int, int, int]]) -> Rows:
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    return Rows(
        np.array(columns[0], np.int32),
        np.array(columns[1], np.int64),
        np.array(columns[2], np.int64),
        np.array(columns[3], np.int8),
    )
