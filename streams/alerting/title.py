"""What a rule is called: as the rule set that decided an alert has it, or else its domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streams.alerting.ruleset import mark_of
from streams.contracts.domain import Domain, Title


@dataclass(frozen=True, slots=True)
class Said:
    """What a stored rule set says of a rule's title, "" for nothing; `rule` None: of no rule."""

    version: str
    rule: str | None
    zh: str
    en: str


class RuleTitles:
    """The titles of the domains' own rules, and what stored rule sets say, oldest set first.

    Rule sets never change: what it knows of one stays right.
    """

    def __init__(self, domains: Mapping[str, Domain], said: Iterable[Said] = ()) -> None:
        self._own = {rule.name: rule.title for d in domains.values() for rule in d.rules}
        self._by_set: dict[str, dict[str, Said]] = {}
        self._newest: dict[str, Said] = {}
        for one in said:
            titles = self._by_set.setdefault(mark_of(one.version), {})
            if one.rule is not None:
                titles[one.rule] = self._newest[one.rule] = one

    def knows(self, rule_version: str) -> bool:
        """Whether the rule set of this version is among those it was given; none is known."""
        mark = _set_of(rule_version)
        return not mark or mark in self._by_set

    def of(self, rule: str, rule_version: str) -> Title:
        """The title in Chinese and English.

        A rule that is gone from the set (it ends what it had raised) is called as the newest set
        that had it called it; one that nobody knows, by its name.
        """
        own = self._own.get(rule)
        said = self._by_set.get(_set_of(rule_version), {}).get(rule)
        if said is None and own is None:
            said = self._newest.get(rule)
        named = own or Title(rule, rule)
        return named if said is None else Title(said.zh or named.zh, said.en or named.en)


def _set_of(rule_version: str) -> str:
    return rule_version.partition("@")[2]
