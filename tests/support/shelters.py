"""A county with shelters as a timeline, under a toy sky that can warn and a street that can flood.

The real pipeline with the real shelter domain; the sky's red warning covers the whole area.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np

from streams.catalog import Area, Gateway, Profile, Registry, Sensor
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.domain import Domain, Point, PointType, Property, TierRule, Title
from streams.contracts.frame import Frame, Record
from streams.contracts.outcome import Transition
from streams.contracts.reason import NamespaceKind, Origin, Severity
from streams.domains import find_domains
from streams.pipeline import Pipeline, PipelineSetup
from tests.support.model_store import ModelStore
from tests.support.small_city import START_MS, TOPIC, keep_checkpoint
from tests.support.timeline import moment, time_of_day

COUNTY = "330106"
GATEWAY = "/gw/shelters"
SKY_TITLE = Title("天空", "sky")
SKY = Domain(
    name="sky",
    title=SKY_TITLE,
    properties=(Property("gale", "1", 0, SKY_TITLE, Decimal(0), Decimal(9)),),
    points=(PointType("vane", SKY_TITLE),),
    rules=(
        TierRule(
            name="sky.gale",
            title=SKY_TITLE,
            levels=(("1", Severity.ORANGE), ("2", Severity.RED)),
            unit_scale=0,
            property="gale",
            clear_count="1",
            covers_area=True,
        ),
    ),
)
DOMAINS: Mapping[str, Domain] = {**find_domains(), SKY.name: SKY}
IDS = {p.name: n for n, p in enumerate((p for d in DOMAINS.values() for p in d.properties), 1)}
OWNER = {p.name: d.name for d in DOMAINS.values() for p in d.properties}
ALL = ("occupants", "check_in", "check_out", "open")
Row = tuple[str, str, int, float]


def shelter(name: str, **attributes: str) -> Point:
    """A shelter for 350 persons unless told otherwise."""
    given = {"effective_area_m2": "700", "class": "short"} if "capacity" not in attributes else {}
    return Point(name, "shelter", COUNTY, name, None, None, {**given, **attributes})


def town(points: Iterable[Point], sensors: Mapping[str, tuple[str, tuple[str, ...]]]) -> Registry:
    """`sensors`: name → (point, properties); a vane and a flood point come on top."""
    watched = {p.id: p for p in points}
    watched["vane"] = Point("vane", "vane", COUNTY, "vane", None, None, {})
    watched["street"] = Point("street", "flood_point", COUNTY, "street", None, None, {})
    named = {**sensors, "vane": ("vane", ("gale",)), "street": ("street", ("depth",))}
    areas = {
        "330000": Area("330000", "province", None, "浙江省", "Zhejiang"),
        "330100": Area("330100", "city", "330000", "杭州市", "Hangzhou"),
        COUNTY: Area(COUNTY, "county", "330100", "西湖区", "Xihu"),
    }
    devices = {
        name: Sensor(number, name, point, GATEWAY if point in points_of(sensors) else name, props)
        for number, (name, (point, props)) in enumerate(named.items(), 1)
    }
    gateways = {g: Gateway(g, COUNTY) for g in (GATEWAY, "vane", "street")}
    return Registry(areas, watched, devices, gateways, {COUNTY: 0}, 1)


def points_of(sensors: Mapping[str, tuple[str, tuple[str, ...]]]) -> set[str]:
    return {point for point, _ in sensors.values()}


def one_shelter(**attributes: str) -> Registry:
    """The shelter `s`, with one sensor of everything."""
    return town([shelter("s", **attributes)], {"s": ("s", ALL)})


class ShelterTown:
    """Push readings at a time of day, ask what changed. Frames come a second after their event."""

    def __init__(self, held: Registry | None = None) -> None:
        self.held = held or one_shelter()
        self.store = ModelStore()
        self.transitions: list[Transition] = []
        self.records: list[Record] = []
        self.contents: dict[str, Mapping[str, Any]] = {}
        self.pipeline = Pipeline(setup())
        self.activate(self.held)

    def activate(self, held: Registry) -> None:
        """A registry version from now on."""
        self.held = held
        self.contents[held.version] = held.to_dict()
        self._put(encode_control("registry", held.version, START_MS), START_MS)

    def use(self, **values: str) -> None:
        """A profile from now on; `__` in a name stands for a dot."""
        profile = Profile("test", {k.replace("__", "."): v for k, v in values.items()})
        self.contents[profile.version] = profile.to_dict()
        self._put(encode_control("profile", profile.version, START_MS), START_MS)

    def say(self, at: str, sensor: str = "s", ingest: str | None = None, **values: float) -> None:
        """Readings of one sensor at one time, e.g. `open=1, occupants=20`."""
        rows = [(sensor, prop, moment(at), value) for prop, value in values.items()]
        self.rows(rows, moment(ingest) if ingest else moment(at) + 1000)

    def rows(self, rows: Sequence[Row], ingest_ms: int, source: str = GATEWAY) -> None:
        """A frame of rows (sensor, property, time, value) of one domain."""
        frame = frame_of(rows, ingest_ms, len(self.records), source)
        self._put(encode(frame), ingest_ms)

    def gale(self, at: str, force: int) -> None:
        """2 and more is a red warning over the area, 1 an orange one."""
        self.rows([("vane", "gale", moment(at), force)], moment(at) + 1000, "vane")

    def flood(self, at: str, depth_m: float) -> None:
        """Two depths, so that the alert is confirmed."""
        begin = moment(at)
        rows = [("street", "depth", begin + t, depth_m) for t in (0, 30_000)]
        self.rows(rows, begin + 31_000, "street")

    def tick(self, at: str) -> None:
        """Time has passed."""
        self._put(encode_tick(moment(at)), moment(at))

    def story(self, rule: str, point: str = "s") -> list[str]:
        """What the alerts of a shelter did: "10:01:00 raised orange", in order."""
        return [
            f"{time_of_day(t.event_ms)} {t.change.value} {t.severity.name.lower()}"
            for t in self.transitions
            if t.subject == point and t.rule == f"shelter.{rule}"
        ]

    def result(self, at: str, point: str = "s") -> Mapping[str, Any]:
        """`shelter.occupancy` of the five minutes that begin at the time."""
        found: Mapping[str, Any] = self.store.results["shelter.occupancy", point, moment(at), 300]
        return found

    def offers(self, point: str = "s") -> list[tuple[bool, list[str]]]:
        """(offered, hazards) as told, in order."""
        found = sorted(
            (start, payload)
            for (kind, of, start, _), payload in self.store.results.items()
            if (kind, of) == ("shelter.offered", point)
        )
        return [(payload["offered"], payload["hazards"]) for _, payload in found]

    def state(self) -> Mapping[str, Any]:
        """The newest partial of period "state"."""
        found: Mapping[str, Any] = self.store.partials[COUNTY, "shelter", "state", 0]
        return found

    def tickets(self) -> list[tuple[str, bool]]:
        """(kind, closed) of every ticket but those of silence."""
        return [(row[3], row[5]) for row in self.store.tickets if row[3] != "silent"]

    def _put(self, message: tuple[dict[str, str], bytes], append_ms: int) -> None:
        record = Record(len(self.records), append_ms, *message)
        self.records.append(record)
        outcome = self.pipeline.process([record], self.contents)
        self.store.apply(outcome)
        self.transitions += outcome.transitions


def setup() -> PipelineSetup:
    return PipelineSetup(TOPIC, 0, NamespaceKind.LIVE, DOMAINS, IDS)


def frame_of(rows: Sequence[Row], ingest_ms: int, number: int, source: str = GATEWAY) -> Frame:
    """All rows are of the domain of the first."""
    sensors, properties = sorted({r[0] for r in rows}), sorted({r[1] for r in rows})
    return Frame(
        source=source,
        id=f"{source}-{number}",
        domain=OWNER[rows[0][1]],
        area=COUNTY,
        origin=Origin.LIVE,
        ingest_ms=ingest_ms,
        sensors=tuple(sensors),
        properties=tuple(properties),
        units=None,
        sensor=np.array([sensors.index(r[0]) for r in rows], np.int32),
        property=np.array([properties.index(r[1]) for r in rows], np.int32),
        time_ms=np.array([r[2] for r in rows], np.int64),
        value=np.array([r[3] for r in rows], np.float64),
    )


def run_again(town: ShelterTown, cuts: Sequence[int], restart: bool) -> ModelStore:
    """The same records in other batches, every batch from the bytes of a checkpoint if wished."""
    store, pipeline = ModelStore(), Pipeline(setup())
    parts: dict[str, bytes] = {}
    segments: dict[str, dict[int, bytes]] = {}
    bounds = sorted({0, len(town.records), *cuts})
    for low, high in pairwise(bounds):
        store.apply(pipeline.process(town.records[low:high], town.contents))
        if restart:
            keep_checkpoint(pipeline, parts, segments)
            pipeline = Pipeline(setup())
            pipeline.load(parts, {k: sorted(v.items()) for k, v in segments.items()})
            pipeline.supply(town.contents)
    return store
