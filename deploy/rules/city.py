"""The city of a test: its registry, and what reaches its log in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from deploy.rules.case import SOURCE, Case, HandClose, Happens, Seen, Warned, source_of
from deploy.rules.stand_in import value_of
from streams.alerting.ruleset import RuleSet
from streams.catalog import Area, Gateway, Profile, Registry, Sensor
from streams.contracts.cap.model import Status
from streams.contracts.closing import Close, encode_close
from streams.contracts.codec import encode, encode_tick
from streams.contracts.domain import Domain, Point
from streams.contracts.frame import Frame
from streams.contracts.reason import Origin, Severity
from streams.contracts.warning import Form, Kind, OfficialWarning, encode_announcement
from streams.log import Entry

TICK_MS = 30_000
TRAVEL_MS = 1000  # from the end of what a value covers to its ingest
OFFICE = "test@example.org"
Version = Profile | Registry | RuleSet


@dataclass(frozen=True, slots=True)
class Stretch:
    """Versions that come into force at its start, alerts that people close there, then messages in
    order of their ingest."""

    start_ms: int
    versions: Mapping[str, Version]
    closes: tuple[HandClose, ...]
    messages: tuple[tuple[int, Entry], ...]


def stretches(case: Case, rules: RuleSet, domains: Mapping[str, Domain]) -> Iterator[Stretch]:
    """All that reaches the log, a stretch for every moment at which versions change."""
    start = case.start_ms
    starts: dict[int, dict[str, Version]] = {
        start: {
            "profile": Profile("test", case.profile),
            "registry": registry_of(case, domains, frozenset()),
            "rules": rules,
        }
    }
    closes: dict[int, list[HandClose]] = {}
    gone: frozenset[str] = frozenset()
    for one in sorted(case.happens, key=lambda one: one.time_ms):
        if isinstance(one.what, RuleSet):
            starts.setdefault(one.time_ms, {})["rules"] = one.what
        elif isinstance(one.what, frozenset):
            gone |= one.what
            starts.setdefault(one.time_ms, {})["registry"] = registry_of(case, domains, gone)
        elif isinstance(one.what, HandClose):
            starts.setdefault(one.time_ms, {})
            closes.setdefault(one.time_ms, []).append(one.what)
    sent = [*_frames(case, domains), *_warnings(case.happens)]
    sent += [(at, encode_tick(at)) for at in range(start, case.until_ms + TICK_MS, TICK_MS)]
    sent.sort(key=lambda one: one[0])
    bounds = [*sorted(starts), case.until_ms + 2 * TICK_MS]
    for low, high in pairwise(bounds):
        messages = tuple(one for one in sent if low <= one[0] < high)
        yield Stretch(low, starts[low], tuple(closes.get(low, ())), messages)


def close_of(
    case: Case, said: HandClose, states: Sequence[Mapping[str, Any]], at_ms: int
) -> Entry | None:
    """A person's close of the newest alert that it speaks of; None when there never was one."""
    about = (said.rule, said.subject)
    found = [one for one in states if (one["rule"], one["subject"]) == about]
    if not found:
        return None
    newest = found[-1]
    region = newest["area"] not in {place.area for place in case.places.values()}
    close = Close(
        area=next(iter(case.places.values())).area if region else newest["area"],
        alert=newest["alert"],
        subject=said.subject,
        region=region or said.subject.startswith("gateway:"),
        severity=Severity(newest["severity"]) if said.seen is None else said.seen,
        number=len(found),
        by="test",
        ending=said.ending,
        reason=said.reason,
        ingest_ms=at_ms,
    )
    return encode_close(close)


def registry_of(case: Case, domains: Mapping[str, Domain], gone: frozenset[str]) -> Registry:
    """The points that are still there, each with one sensor of everything that its domain knows."""
    owner = {kind.name: domain for domain in domains.values() for kind in domain.points}
    areas: dict[str, Area] = {}
    points, sensors = dict[str, Point](), dict[str, Sensor]()
    gateways = {SOURCE: Gateway(SOURCE, next(iter(case.places.values())).area)}
    for number, place in enumerate(sorted(case.places.values(), key=lambda one: one.id), 1):
        city = place.area[:4] + "00"
        areas |= {city: Area(city, "city", None, city, city)}
        if place.area != city:
            areas |= {place.area: Area(place.area, "county", city, place.area, place.area)}
        gateways.setdefault(place.source, Gateway(place.source, place.area))
        if place.id in gone:
            continue
        points[place.id] = Point(
            place.id, place.type, place.area, place.id, None, None, place.attributes
        )
        names = tuple(p.name for p in owner[place.type].properties)
        sensors[place.id] = Sensor(number, place.id, place.id, place.source, names)
    return Registry(areas, points, sensors, gateways, dict.fromkeys(areas, 0), 1)


def _frames(case: Case, domains: Mapping[str, Domain]) -> Iterator[tuple[int, Entry]]:
    """Values of one gateway, area, domain and moment in one frame."""
    owner = {p.name: (d, p) for d in domains.values() for p in d.properties}
    groups: dict[tuple[int, str, str, str], list[tuple[Seen, str]]] = {}
    for one in case.seen:
        name = value_of(one.what) if one.what not in owner else one.what
        domain, prop = owner[name]
        at = one.time_ms + prop.interval_s * 1000 + TRAVEL_MS + one.late_ms
        place = case.places[one.point]
        groups.setdefault((at, place.area, domain.name, place.gateway), []).append((one, name))
    for number, (key, rows) in enumerate(sorted(groups.items())):
        yield key[0], encode(_frame(number, key, rows))


def _frame(number: int, key: tuple[int, str, str, str], rows: Sequence[tuple[Seen, str]]) -> Frame:
    at_ms, area, domain, gateway = key
    sensors = sorted({one.point for one, _ in rows})
    properties = sorted({name for _, name in rows})
    return Frame(
        source=source_of(gateway),
        id=str(number),
        domain=domain,
        area=area,
        origin=Origin.SIMULATED,
        ingest_ms=at_ms,
        sensors=tuple(sensors),
        properties=tuple(properties),
        units=None,
        sensor=np.array([sensors.index(one.point) for one, _ in rows], np.int32),
        property=np.array([properties.index(name) for _, name in rows], np.int32),
        time_ms=np.array([one.time_ms for one, _ in rows], np.int64),
        value=np.array([one.value for one, _ in rows], np.float64),
    )


def _warnings(happens: Sequence[Happens]) -> Iterator[tuple[int, Entry]]:
    for number, one in enumerate(happens):
        if isinstance(one.what, Warned):
            warning = _official(f"test-{number}", one.time_ms, one.what)
            yield one.time_ms, encode_announcement(warning, SOURCE, Origin.SIMULATED, one.time_ms)


def _official(identifier: str, sent_ms: int, said: Warned) -> OfficialWarning:
    return OfficialWarning(
        sender=OFFICE,
        identifier=identifier,
        sent_ms=sent_ms,
        kind=Kind.ALERT,
        status=Status.ACTUAL,
        form=Form.CAP,
        issuers=("test",),
        event=said.type,
        type=said.type,
        severity=said.severity,
        areas=said.areas,
        area_text=", ".join(said.areas),
        headline=said.type,
        description="",
        language="zh-CN",
        media_type="application/cap+xml",
        original=b"<alert/>",
        expires_ms=said.until_ms,
    )
