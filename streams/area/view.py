"""What a domain sees of the registry for one area; numbers once given stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from streams.alerting.in_force import Subject
from streams.alerting.rule import fill
from streams.alerting.stages.parameters import stage_mistakes
from streams.catalog import Profile, Registry, Sensor
from streams.contracts.cap.house import house_mistakes
from streams.contracts.domain import HOUR_MS, SHANGHAI_OFFSET_MS, AreaView, Domain, Point
from streams.contracts.warning import mistakes as warning_mistakes
from streams.errors import Misconfigured
from streams.quality import parameters as quality
from streams.quality.parameters import quality_values
from streams.resilience.parameters import compound_mistakes

SeriesKey = tuple[int, int]  # (sensor id, property index in the domain)


@dataclass(slots=True)
class ViewState:
    """A view in a checkpoint: what numbers were given."""

    points: list[Point]
    sensor: list[int]
    property: list[int]
    point: list[int]
    report_s: list[int]
    name: list[str]


def keep(view: AreaView) -> ViewState:
    """For the checkpoint."""
    return ViewState(
        [replace(p, attributes=dict(p.attributes)) for p in view.points],
        view.series_sensor.tolist(),
        view.series_property.tolist(),
        view.series_point.tolist(),
        view.series_report_s.tolist(),
        list(view.series_name),
    )


def recall(held: ViewState, area: str) -> AreaView:
    """From the checkpoint: numbers only, every series inactive until a registry says otherwise."""
    return AreaView(
        area=area,
        points=tuple(held.points),
        series_sensor=np.array(held.sensor, np.int32),
        series_property=np.array(held.property, np.int16),
        series_point=np.array(held.point, np.int32),
        series_report_s=np.array(held.report_s, np.int32),
        series_active=np.zeros(len(held.sensor), np.bool_),
        parameters={},
        series_name=tuple(held.name),
    )


def build_view(
    domain: Domain,
    area: str,
    registry: Registry,
    profile: Profile,
    known: AreaView | None,
) -> AreaView:
    """The view of a registry version; series and points of `known` keep their numbers.

    A series whose sensor left the registry stays, inactive; a point that left stays as it was.
    """
    points = _points(domain, area, registry, known)
    number = {p.id: i for i, p in enumerate(points)}
    sensors = {s.id: s for s in registry.sensors_by_area.get(area, ()) if s.point in number}
    index = {p.name: i for i, p in enumerate(domain.properties)}
    keys = _old_keys(known)
    names = dict(zip(keys, known.series_name, strict=True)) if known else {}
    where = dict(zip(keys, known.series_point.tolist(), strict=True)) if known else {}
    report = dict(zip(keys, known.series_report_s.tolist(), strict=True)) if known else {}
    source = {s.id: s.gateway for s in sensors.values()}
    active: set[SeriesKey] = set()
    for sensor in sensors.values():
        for name in sensor.properties:
            if name not in index:
                continue
            key = (sensor.id, index[name])
            if key not in names:
                keys.append(key)
            names[key], where[key] = sensor.name, number[sensor.point]
            report[key] = sensor.report_s or domain.properties[index[name]].report_s
            active.add(key)
    return AreaView(
        area=area,
        points=points,
        series_sensor=np.array([k[0] for k in keys], np.int32),
        series_property=np.array([k[1] for k in keys], np.int16),
        series_point=np.array([where[k] for k in keys], np.int32),
        series_report_s=np.array([report[k] for k in keys], np.int32),
        series_active=np.array([k in active for k in keys], np.bool_),
        parameters={
            **quality_values(domain.properties, profile.values),
            **parameters_of(domain, profile.values),
        },
        series_name=tuple(names[k] for k in keys),
        series_source=tuple(source.get(k[0], "") for k in keys),
    )


def parameters_of(domain: Domain, values: Mapping[str, str]) -> Mapping[str, str]:
    """A domain's house numbers: the profile's where given, else the defaults."""
    return {p.key: values.get(p.key, p.default) for p in domain.parameters}


def day_zone_ms(profile: Profile) -> int:
    """How far the profile's days run ahead of UTC; Asia/Shanghai unless it says otherwise."""
    hours = profile.values.get("profile.utc_offset_hours")
    return SHANGHAI_OFFSET_MS if hours is None else int(Decimal(hours) * HOUR_MS)


def timing_ms(values: Mapping[str, str], domain: str, what: str, default_s: int) -> int:
    """`<domain>.timing.<what>` of a profile, in milliseconds."""
    return int(values.get(f"{domain}.timing.{what}", str(default_s))) * 1000


def profile_mistakes(domains: Mapping[str, Domain], profile: Profile) -> list[str]:
    """Everything in a profile that rules, domains and timing could not be filled with."""
    mistakes: list[str] = []
    for domain in domains.values():
        parameters = parameters_of(domain, profile.values)
        for rule in domain.rules:
            try:
                fill(rule, parameters)
            except Misconfigured as error:
                mistakes += error.mistakes
        if domain.mistakes is not None:
            mistakes += domain.mistakes(parameters)
        mistakes += quality.mistakes(domain.properties, profile.values)
    whole = [f"{name}.timing.{what}" for name in domains for what in ("delay_s", "horizon_s")]
    for key in whole:
        if not profile.values.get(key, "0").isdecimal():
            mistakes.append(f"{key} = {profile.values[key]!r} is not a whole number of seconds")
    mistakes += compound_mistakes(profile.values) + warning_mistakes(profile.values)
    mistakes += house_mistakes(profile.values) + stage_mistakes(profile.values)
    offset = profile.values.get("profile.utc_offset_hours", "8")
    try:
        Decimal(offset)
    except ArithmeticError:
        mistakes.append(f"profile.utc_offset_hours = {offset!r} is not a number")
    return list(dict.fromkeys(mistakes))


def subjects(view: AreaView) -> dict[int, dict[int, Subject]]:
    """By property index: series → alert subject. Two sensors of one property at one point are
    two subjects; the later one carries its name."""
    found: dict[int, dict[int, Subject]] = {}
    taken: set[tuple[int, int]] = set()
    for series, name in enumerate(view.series_name):
        prop, point = int(view.series_property[series]), int(view.series_point[series])
        identity = view.points[point].id
        key = identity if (prop, point) not in taken else f"{identity}#{name}"
        taken.add((prop, point))
        found.setdefault(prop, {})[series] = Subject(key, identity)
    return found


def device_reports(sensors: Sequence[Sensor], domains: Mapping[str, Domain]) -> dict[int, int]:
    """Seconds between reports of every device: its own, else its properties' longest."""
    usual = {p.name: p.report_s for d in domains.values() for p in d.properties}
    return {
        s.id: s.report_s or max((usual[p] for p in s.properties if p in usual), default=60)
        for s in sensors
    }


def _points(
    domain: Domain, area: str, registry: Registry, known: AreaView | None
) -> tuple[Point, ...]:
    types = {t.name for t in domain.points}
    now = {p.id: p for p in registry.points_by_area.get(area, ()) if p.type in types}
    old = known.points if known else ()
    kept = tuple(now.pop(p.id, p) for p in old)
    return kept + tuple(now.values())


def _old_keys(known: AreaView | None) -> list[SeriesKey]:
    if known is None:
        return []
    return list(zip(known.series_sensor.tolist(), known.series_property.tolist(), strict=True))
