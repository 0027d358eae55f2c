"""Tests of rules as files: what is measured when, and which transitions are wanted between when."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

from deploy.rules.nodes import Mistakes, Node, files_of, read_file
from streams.contracts.domain import Domain, PointType
from streams.contracts.reason import Change, Severity
from streams.errors import Misconfigured

T = TypeVar("T")
AREA = "330106"
DAY = "2026-08-17"
SETTLE_MS = 60_000  # time that goes on behind the last thing that is said
OF_TEST = ("name", "day", "area", "profile", "points", "readings", "expect", "until")
OF_POINT = ("type", "area", "attributes")
OF_READING = ("at", "from", "to", "every", "point")
OF_WANTED = ("rule", "point", "at", "between", "change", "severity", "never")
_TIME = re.compile(r"(\d{1,3}):(\d\d)(?::(\d\d))?")
_SPAN = re.compile(r"(\d+) ?(s|min|h)")
_SPAN_MS = {"s": 1000, "min": 60_000, "h": 3_600_000}


@dataclass(frozen=True, slots=True)
class Place:
    """A point of a test."""

    id: str
    type: str
    area: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """One value: of a property, or, where `what` names a rule, of what the domain derives."""

    time_ms: int
    point: str
    what: str
    value: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """One transition that must come between two event times (both included), or none at all."""

    line: int
    rule: str
    point: str
    from_ms: int = 0
    to_ms: int = 0
    change: Change | None = None
    severity: Severity | None = None
    never: bool = False


@dataclass(slots=True)
class Case:
    """One test. Times are epoch ms of its day, by the profile's zone."""

    file: str
    line: int
    name: str
    start_ms: int
    until_ms: int
    profile: Mapping[str, str]
    places: dict[str, Place] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)


def read_cases(folder: Path, domains: Mapping[str, Domain]) -> list[Case]:
    """All tests below `folder/tests`. Raises `Misconfigured` with every mistake."""
    mistakes, found = Mistakes(), list[Case]()
    tests = folder / "tests"
    for path in files_of(tests, mistakes) if tests.is_dir() else ():
        node = read_file(path, mistakes)
        if node is None:
            continue
        parts = node.fields("file", ("domain", "tests"))
        domain = domains.get(parts["domain"].text("domain") if "domain" in parts else "")
        if domain is None:
            node.wrong(f"file: `domain: …` is wanted, one of {', '.join(domains)}")
        elif "tests" in parts:
            found += [_Reader(domain, one).case() for one in parts["tests"].items("tests")]
    if mistakes.lines:
        raise Misconfigured(mistakes.lines)
    return found


class _Reader:
    """Reads one test; mistakes go into the node's list."""

    def __init__(self, domain: Domain, node: Node) -> None:
        self._domain = domain
        self._node = node
        self._said = node.fields("test", OF_TEST)
        self._day_ms = 0

    def case(self) -> Case:
        said = self._said
        profile = (
            {name: one.text(name) for name, one in said["profile"].entries("profile")}
            if "profile" in said
            else {}
        )
        self._day_ms = self._start(profile)
        case = Case(
            self._node.file,
            self._node.line,
            said["name"].text("name") if "name" in said else f"line {self._node.line}",
            self._day_ms,
            0,
            profile,
        )
        area = said["area"].text("area") if "area" in said else AREA
        for name, point in said["points"].entries("points") if "points" in said else ():
            case.places[name] = self._place(name, point, area)
        for one in said["readings"].items("readings") if "readings" in said else ():
            case.seen += self._readings(one, case)
        for one in said["expect"].items("expect") if "expect" in said else ():
            case.wanted.append(self._wanted(one))
        if not case.seen or not case.wanted:
            self._node.wrong("test: `readings` and `expect` are wanted")
        ends = [s.time_ms for s in case.seen] + [w.to_ms for w in case.wanted]
        until = [self._time(said["until"])] if "until" in said else []
        case.until_ms = max([*ends, *until], default=self._day_ms) + SETTLE_MS
        return case

    def _start(self, profile: Mapping[str, str]) -> int:
        text = self._said["day"].text("day") if "day" in self._said else DAY
        try:
            zone = timezone(timedelta(hours=float(profile.get("profile.utc_offset_hours", "8"))))
            return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)
        except ValueError:
            self._node.wrong(f"day: {text!r}: YYYY-MM-DD is wanted")
            return 0

    def _place(self, name: str, node: Node, area: str) -> Place:
        said = node.fields(f"point {name}", OF_POINT) if node.is_mapping else {}
        kinds: dict[str, PointType] = {kind.name: kind for kind in self._domain.points}
        kind = said["type"].text("type") if "type" in said else next(iter(kinds))
        if kind not in kinds:
            node.wrong(f"point {name}: type {kind!r}: {self._domain.name} has {', '.join(kinds)}")
        where = said["area"].text("area") if "area" in said else area
        attributes = said["attributes"].entries("attributes") if "attributes" in said else ()
        return Place(name, kind, where, {key: one.text(key) for key, one in attributes})

    def _readings(self, node: Node, case: Case) -> Iterator[Seen]:
        values = dict(node.entries("reading"))
        said = {name: values.pop(name) for name in OF_READING if name in values}
        point = said["point"].text("point") if "point" in said else next(iter(case.places), "")
        if point not in case.places:
            node.wrong(f"reading: no point {point!r} among `points`")
        times = self._times(node, said)
        known = {p.name for p in self._domain.properties} | {r.name for r in self._domain.rules}
        for what, value in values.items():
            if what not in known:
                value.wrong(f"reading: {what!r} is neither property nor rule of the domain")
                continue
            numbers = _ramp(value.text(what), len(times))
            if numbers is None:
                value.wrong(f"{what}: a number is wanted, or first..last")
                continue
            for time_ms, number in zip(times, numbers, strict=True):
                yield Seen(time_ms, point, what, number)

    def _times(self, node: Node, said: Mapping[str, Node]) -> list[int]:
        if "at" in said:
            return [self._time(said["at"])]
        if not {"from", "to", "every"} <= said.keys():
            node.wrong("reading: either `at`, or `from`, `to` and `every`")
            return []
        span = _SPAN.fullmatch(said["every"].text("every"))
        if span is None or int(span[1]) == 0:
            said["every"].wrong("every: e.g. 30 s, 5 min or 1 h")
            return []
        step = int(span[1]) * _SPAN_MS[span[2]]
        return list(range(self._time(said["from"]), self._time(said["to"]) + 1, step))

    def _wanted(self, node: Node) -> Wanted:
        said = node.fields("expect", OF_WANTED)
        rule = said["rule"].text("rule") if "rule" in said else ""
        point = said["point"].text("point") if "point" in said else ""
        if not rule:
            node.wrong("expect: `rule` is wanted")
        if "never" in said:
            return Wanted(node.line, rule, point, never=said["never"].flag("never") is True)
        if "between" in said:
            bounds = [self._time(one) for one in said["between"].items("between")]
            if len(bounds) != 2:
                said["between"].wrong("between: two times are wanted")
                bounds = [0, 0]
        else:
            bounds = [self._time(said["at"])] * 2 if "at" in said else [0, 0]
        if not {"at", "between"} & said.keys() or "change" not in said:
            node.wrong("expect: `change`, and `at` or `between` are wanted (or never: true)")
        change = _named(said, "change", {one.value: one for one in Change})
        severity = _named(said, "severity", {one.name.lower(): one for one in Severity})
        return Wanted(node.line, rule, point, bounds[0], bounds[1], change, severity)

    def _time(self, node: Node) -> int:
        found = _TIME.fullmatch(node.text("time"))
        if found is None:
            node.wrong('time: "HH:MM" or "HH:MM:SS" is wanted, in quotes; 24:10 is the next day')
            return self._day_ms
        hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3] or 0)
        return self._day_ms + ((hours * 60 + minutes) * 60 + seconds) * 1000


def _named(said: Mapping[str, Node], name: str, known: Mapping[str, T]) -> T | None:
    if name not in said:
        return None
    text = said[name].text(name)
    if text not in known:
        said[name].wrong(f"{name}: {text!r}: one of {', '.join(known)}")
    return known.get(text)


def _ramp(text: str, count: int) -> list[float] | None:
    first, dots, last = text.partition("..")
    try:
        low, high = Decimal(first), Decimal(last if dots else first)
    except InvalidOperation:
        return None
    if not (low.is_finite() and high.is_finite()):
        return None
    steps = max(1, count - 1)
    return [float(round(low + (high - low) * n / steps, 9)) for n in range(count)]
