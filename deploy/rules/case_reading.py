"""Files of tests of rules → `Case`, with every mistake and the line that it is in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

from deploy.rules.came import FIELDS
from deploy.rules.case import (
    Case,
    HandClose,
    Happening,
    Happens,
    Place,
    Seen,
    Wanted,
    Warned,
    source_of,
)
from deploy.rules.nodes import Mistakes, Node, files_of, read_file
from deploy.rules.reading import clauses_of
from streams.alerting.ruleset import RuleSet
from streams.alerting.soundness import rule_mistakes
from streams.contracts.closing import Ending
from streams.contracts.domain import Domain, PointType
from streams.contracts.reason import Change, Severity
from streams.errors import Misconfigured

T = TypeVar("T")
AREA = "330106"
DAY = "2026-08-17"
SETTLE_MS = 60_000  # time that goes on behind the last thing that is said
OF_TEST = (
    *("name", "day", "area", "profile", "rules", "points", "readings", "then", "expect", "until"),
)
OF_POINT = ("type", "area", "attributes", "gateway")
OF_READING = ("at", "from", "to", "every", "point", "late")
OF_THEN = ("at", "rules", "gone", "warning", "close")
OF_WARNING = ("type", "severity", "areas", "until")
OF_CLOSE = ("rule", "point", "area", "gateway", "as", "seen", "reason")
OF_WANTED = (
    *("rule", "point", "area", "gateway", "at", "between", "change", "severity", "never"),
    *FIELDS,
)
COLOURS = {one.name.lower(): one for one in Severity}
_TIME = re.compile(r"(\d{1,3}):(\d\d)(?::(\d\d))?")
_SPAN = re.compile(r"(\d+) ?(s|min|h)")
_SPAN_MS = {"s": 1000, "min": 60_000, "h": 3_600_000}


def read_cases(folder: Path, domains: Mapping[str, Domain]) -> list[Case]:
    """All tests in the files of a folder; none where there is no such folder.

    Raises `Misconfigured` with every mistake.
    """
    mistakes, found = Mistakes(), list[Case]()
    for path in files_of(folder, mistakes) if folder.is_dir() else ():
        node = read_file(path, mistakes)
        if node is None:
            continue
        parts = node.fields("file", ("domain", "tests"))
        domain = domains.get(parts["domain"].text("domain") if "domain" in parts else "")
        if domain is None:
            node.wrong(f"file: `domain: …` is wanted, one of {', '.join(domains)}")
        elif "tests" in parts:
            tests = parts["tests"].items("tests")
            found += [_Reader(domain, domains, one).case() for one in tests]
    if mistakes.lines:
        raise Misconfigured(mistakes.lines)
    return found


class _Reader:
    """Reads one test; mistakes go into the node's list."""

    def __init__(self, domain: Domain, domains: Mapping[str, Domain], node: Node) -> None:
        self._domain = domain
        self._domains = domains
        self._node = node
        self._said = node.fields("test", OF_TEST)
        self._day_ms = 0
        self._area = AREA

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
            self._rules(said["rules"], profile) if "rules" in said else None,
        )
        self._area = said["area"].text("area") if "area" in said else AREA
        for name, point in said["points"].entries("points") if "points" in said else ():
            case.places[name] = self._place(name, point)
        for one in said["readings"].items("readings") if "readings" in said else ():
            case.seen += self._readings(one, case)
        for one in said["then"].items("then") if "then" in said else ():
            case.happens += self._then(one, case)
        for one in said["expect"].items("expect") if "expect" in said else ():
            case.wanted.append(self._wanted(one, case))
        if not case.seen or not case.wanted:
            self._node.wrong("test: `readings` and `expect` are wanted")
        ends = [s.time_ms + s.late_ms for s in case.seen] + [w.to_ms for w in case.wanted]
        ends += [one.time_ms for one in case.happens]
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

    def _rules(self, node: Node, profile: Mapping[str, str]) -> RuleSet:
        rules = RuleSet(tuple(clauses_of(self._domain.name, node)))
        for one in rule_mistakes(self._domains, profile, rules, None):
            node.wrong(str(one))
        return rules

    def _place(self, name: str, node: Node) -> Place:
        said = node.fields(f"point {name}", OF_POINT) if node.is_mapping else {}
        owner: dict[str, PointType] = {
            kind.name: kind for domain in self._domains.values() for kind in domain.points
        }
        kind = said["type"].text("type") if "type" in said else self._domain.points[0].name
        if kind not in owner:
            node.wrong(f"point {name}: type {kind!r}: one of {', '.join(owner)}")
        where = said["area"].text("area") if "area" in said else self._area
        attributes = said["attributes"].entries("attributes") if "attributes" in said else ()
        gateway = said["gateway"].text("gateway") if "gateway" in said else ""
        return Place(name, kind, where, {key: one.text(key) for key, one in attributes}, gateway)

    # what happens -----------------------------------------------------------------------------

    def _readings(self, node: Node, case: Case) -> Iterator[Seen]:
        values = dict(node.entries("reading"))
        said = {name: values.pop(name) for name in OF_READING if name in values}
        points = said["point"].texts("point") if "point" in said else tuple(case.places)[:1]
        for point in points:
            if point not in case.places:
                node.wrong(f"reading: no point {point!r} among `points`")
        times = self._times(node, said)
        late_ms = self._span(said["late"], "late") if "late" in said else 0
        known = {p.name for d in self._domains.values() for p in d.properties}
        known |= {r.name for d in self._domains.values() for r in d.rules}
        for what, value in values.items():
            if what not in known:
                value.wrong(f"reading: {what!r} is neither property nor rule of a domain")
                continue
            numbers = _ramp(value.text(what), len(times))
            if numbers is None:
                value.wrong(f"{what}: a number is wanted, or first..last")
                continue
            for point in points:
                for time_ms, number in zip(times, numbers, strict=True):
                    yield Seen(time_ms, point, what, number, late_ms)

    def _times(self, node: Node, said: Mapping[str, Node]) -> list[int]:
        if "at" in said:
            return [self._time(one) for one in said["at"].items("at")]
        if not {"from", "to", "every"} <= said.keys():
            node.wrong("reading: either `at`, or `from`, `to` and `every`")
            return []
        step = self._span(said["every"], "every")
        if not step:
            return []
        return list(range(self._time(said["from"]), self._time(said["to"]) + 1, step))

    def _then(self, node: Node, case: Case) -> Iterator[Happens]:
        said = node.fields("then", OF_THEN)
        what = [name for name in OF_THEN[1:] if name in said]
        if "at" not in said or not what:
            node.wrong(f"then: `at` and one of {', '.join(OF_THEN[1:])} are wanted")
            return
        found: dict[str, Happening] = {}
        if "rules" in said:
            found["rules"] = self._rules(said["rules"], case.profile)
        if "gone" in said:
            gone = frozenset(said["gone"].texts("gone"))
            for name in gone - case.places.keys():
                said["gone"].wrong(f"gone: no point {name!r} among `points`")
            found["gone"] = gone
        if "warning" in said:
            found["warning"] = self._warned(said["warning"])
        if "close" in said:
            found["close"] = self._close(said["close"], case)
        at_ms = self._time(said["at"])
        yield from (Happens(at_ms, found[name]) for name in what)

    def _warned(self, node: Node) -> Warned:
        said = node.fields("warning", OF_WARNING)
        if not {"type", "severity"} <= said.keys():
            node.wrong("warning: `type` and `severity` are wanted")
        severity = _named(said, "severity", COLOURS) or Severity.NONE
        areas = said["areas"].texts("areas") if "areas" in said else (self._area,)
        until_ms = self._time(said["until"]) if "until" in said else None
        return Warned(said["type"].text("type"), severity, areas, until_ms)

    def _close(self, node: Node, case: Case) -> HandClose:
        said = node.fields("close", OF_CLOSE)
        if not {"rule", "as"} <= said.keys():
            node.wrong("close: `rule` and `as` are wanted")
        ending = _named(said, "as", {one.value: one for one in Ending}) or Ending.FALSE_ALARM
        return HandClose(
            said["rule"].text("rule") if "rule" in said else "",
            self._subject(node, said, case),
            ending,
            _named(said, "seen", COLOURS),
            said["reason"].text("reason") if "reason" in said else "",
        )

    # what is wanted ---------------------------------------------------------------------------

    def _wanted(self, node: Node, case: Case) -> Wanted:
        said = node.fields("expect", OF_WANTED)
        rule = said["rule"].text("rule") if "rule" in said else ""
        if not rule:
            node.wrong("expect: `rule` is wanted")
        one = Wanted(node.line, rule, self._subject(node, said, case))
        if "never" in said:
            return replace(one, never=said["never"].flag("never") is True)
        if "between" in said:
            bounds = [self._time(time) for time in said["between"].items("between")]
            if len(bounds) != 2:
                said["between"].wrong("between: two times are wanted")
                bounds = [0, 0]
        else:
            bounds = [self._time(said["at"])] * 2 if "at" in said else [0, 0]
        if not {"at", "between"} & said.keys() or "change" not in said:
            node.wrong("expect: `change`, and `at` or `between` are wanted (or never: true)")
        return replace(
            one,
            from_ms=bounds[0],
            to_ms=bounds[1],
            change=_named(said, "change", {one.value: one for one in Change}),
            severity=_named(said, "severity", COLOURS),
            more={name: said[name].text(name) for name in FIELDS if name in said},
        )

    def _subject(self, node: Node, said: Mapping[str, Node], case: Case) -> str:
        named = [name for name in ("point", "area", "gateway") if name in said]
        if len(named) > 1:
            node.wrong("one of point, area, gateway")
        if "area" in said:
            return f"area:{said['area'].text('area')}"
        if "gateway" in said:
            return f"gateway:{source_of(said['gateway'].text('gateway'))}"
        point = said["point"].text("point") if "point" in said else next(iter(case.places), "")
        if point not in case.places:
            node.wrong(f"no point {point!r} among `points`")
        return point

    # times ------------------------------------------------------------------------------------

    def _time(self, node: Node) -> int:
        found = _TIME.fullmatch(node.text("time"))
        if found is None:
            node.wrong('time: "HH:MM" or "HH:MM:SS" is wanted, in quotes; 24:10 is the next day')
            return self._day_ms
        hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3] or 0)
        return self._day_ms + ((hours * 60 + minutes) * 60 + seconds) * 1000

    def _span(self, node: Node, what: str) -> int:
        span = _SPAN.fullmatch(node.text(what))
        if span is None or int(span[1]) == 0:
            node.wrong(f"{what}: e.g. 30 s, 5 min or 1 h")
            return 0
        return int(span[1]) * _SPAN_MS[span[2]]


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
