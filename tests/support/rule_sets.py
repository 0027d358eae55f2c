"""Short ways to say what a rule set says."""

from __future__ import annotations

from typing import Any

from streams.alerting.ruleset import Clause, Override, RuleSet, Scope, Terms

DEPTH = "waterlogging.depth"


def levels(**colours: str) -> Terms:
    """Levels by colour."""
    return Terms(levels=colours)


def depth(terms: Terms | None = None, **said: Any) -> Clause:
    """The depth rule of waterlogging, changed."""
    return Clause(DEPTH, "waterlogging", terms=terms or Terms(), **said)


def in_area(code: str, terms: Terms) -> Override:
    return Override(area=code, terms=terms)


def at_point(point: str, terms: Terms) -> Override:
    return Override(point=point, terms=terms)


def new_rule(name: str = "waterlogging.wet", watches: str = "depth", **said: Any) -> Clause:
    """A rule that no domain has: yellow from 5 cm, until two readings below."""
    terms = Terms(levels={"yellow": "5"}, clear_readings="2")
    titles = {"title_zh": "路面积水", "title_en": "wet road"}
    given: dict[str, Any] = titles | {"unit": "cm", "terms": terms} | said
    return Clause(name, "waterlogging", watches=watches, **given)


def rule_set(*clauses: Clause) -> RuleSet:
    return RuleSet(clauses)


def only(**lists: Any) -> Scope:
    """A scope, e.g. `only(areas=("330106",))`."""
    return Scope(**lists)
