"""The rules of an area that hold now, as its book asks for them: by name and by open alert."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from streams.alerting.rule import Thresholds
from streams.alerting.ruling import Ruling
from streams.contracts.frame import Int32, Int64

NEVER_MET = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alert is about: a point of the area, or the area itself (`point` None)."""

    key: str
    point: str | None


class InForce:
    """See the module. Keys of open alerts are `<rule>|<subject key>`."""

    def __init__(self) -> None:
        self._rules: dict[str, tuple[str, Ruling]] = {}
        self._followers: dict[str, tuple[str, ...]] = {}  # of derived values, by who derives them
        self._floors: dict[str, tuple[Mapping[int, Subject], Int64]] = {}
        self._children: dict[str, tuple[str, ...]] = {}  # whom a rule's alerts hide
        self._ranks: dict[str, int] = {}

    def use(self, domain: str, rules: Mapping[str, Ruling]) -> None:
        """All rules of a domain from now on."""
        kept = {name: held for name, held in self._rules.items() if held[0] != domain}
        self._rules = kept | {name: (domain, ruling) for name, ruling in rules.items()}
        self._floors, self._followers = {}, {}
        for name, (_, ruling) in self._rules.items():
            before = self._followers.get(ruling.watches, ())
            self._followers[ruling.watches] = (*before, name)
        parents = {name: ruling.hidden_by for name, (_, ruling) in self._rules.items()}
        self._children = children_of(parents)
        self._ranks = {name: _rank(name, parents, ()) for name in parents}

    def __getitem__(self, name: str) -> Ruling:
        return self._rules[name][1]

    def followers(self, name: str) -> tuple[str, ...]:
        """The rules that judge the value which the rule of this name is about."""
        return self._followers[name]

    def parents(self, name: str) -> tuple[str, ...]:
        """The rules whose alerts hide those of this one in people's lists."""
        held = self._rules.get(name)
        return () if held is None else held[1].hidden_by

    def children(self, name: str) -> tuple[str, ...]:
        """The rules whose alerts this one's hide."""
        return self._children.get(name, ())

    def rank(self, name: str) -> int:
        """How many hide each other above it: parents rank before their children."""
        return self._ranks.get(name, 0)

    def of_alert(self, key: str, point: str | None) -> Thresholds | None:
        """What judges an open alert; None where its rule does not hold any more."""
        held = self._rules.get(_name(key))
        return None if held is None else held[1].of(point)

    def domain_of(self, key: str) -> str:
        """Also of a rule that is gone."""
        held = self._rules.get(_name(key))
        return _name(key).split(".")[0] if held is None else held[0]

    def declared_tiers(self, key: str) -> list[int]:
        """Severities as the domain declares them: what alerts knew from before rule sets."""
        held = self._rules.get(_name(key))
        return [] if held is None else [int(severity) for _, severity in held[1].rule.levels]

    def season_end(self, key: str, onset_ms: int) -> int | None:
        """When the season ends that the alert began in; its onset, if that is out of season."""
        held = self._rules.get(_name(key))
        return None if held is None else _season_end(held[1], onset_ms)

    def of_open(
        self, key: str, point: str | None, onset_ms: int
    ) -> tuple[Thresholds | None, int | None]:
        """`of_alert` and `season_end` in one look."""
        held = self._rules.get(_name(key))
        if held is None:
            return None, None
        return held[1].of(point), _season_end(held[1], onset_ms)

    def floor(self, name: str, subjects: Mapping[int, Subject], series: Int32) -> Int64 | int:
        """The lowest threshold of each row's series; one for all where no point has its own."""
        ruling = self._rules[name][1]
        if not ruling.own:
            return NEVER_MET if ruling.others is None else ruling.others.meet[0]
        held = self._floors.get(name)
        if held is None or held[0] is not subjects:
            held = self._floors[name] = subjects, _floors(ruling, subjects)
        found: Int64 = held[1][np.minimum(series, len(held[1]) - 1)]
        return found


def children_of(parents: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The same the other way round."""
    found: dict[str, tuple[str, ...]] = {}
    for child, above in parents.items():
        for parent in above:
            found[parent] = (*found.get(parent, ()), child)
    return found


def _rank(name: str, parents: Mapping[str, tuple[str, ...]], below: tuple[str, ...]) -> int:
    above = [one for one in parents.get(name, ()) if one not in below]
    return max((1 + _rank(one, parents, (*below, name)) for one in above), default=0)


def _season_end(ruling: Ruling, onset_ms: int) -> int | None:
    season = ruling.season
    if season is None:
        return None
    return season.end_after(onset_ms) if season.holds(onset_ms) else onset_ms


def _floors(ruling: Ruling, subjects: Mapping[int, Subject]) -> Int64:
    """By series; the last entry stands for every series that is nobody's."""
    found = np.full(max(subjects, default=-1) + 2, NEVER_MET, np.int64)
    for series, subject in subjects.items():
        rule = ruling.of(subject.point)
        if rule is not None:
            found[series] = rule.meet[0]
    return found


def _name(key: str) -> str:
    return key.split("|", 1)[0]
