"""A transition as programs get it, and what a test may ask of it.

It is read from the full state that messages carry, so the same test judges what the pipeline
answers and what a namespace's events say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from deploy.rules.case import Case, Wanted, clock
from streams.contracts.reason import AlertState, Change, Severity

FIELDS = (
    *("state", "stale", "unverified", "value", "threshold", "why"),
    *("completeness", "suppressed_by", "held"),
)
NONE = "none"


@dataclass(frozen=True, slots=True)
class Came:
    """See the module. `facts`: what may be asked besides change, severity and time, in words."""

    alert: str
    rule: str
    subject: str
    event_ms: int
    change: Change
    state: AlertState
    severity: Severity
    stale: bool
    facts: Mapping[str, str]


def came(case: Case, states: Iterable[Mapping[str, Any]]) -> list[Came]:
    """Full states of alerts, in their order."""
    contents = list(states)
    names = {one["alert"]: f"{one['rule']} at {one['subject']}" for one in contents}
    return [_came(case, one, names) for one in contents]


def fits(wanted: Wanted, found: Came) -> bool:
    """Whether the transition is the wanted one."""
    return (
        found.change is wanted.change
        and wanted.from_ms <= found.event_ms <= wanted.to_ms
        and wanted.severity in (None, found.severity)
        and not differing(wanted, found)
    )


def differing(wanted: Wanted, found: Came) -> dict[str, str]:
    """Of the further things that are wanted, what is otherwise."""
    return {
        name: found.facts[name]
        for name, text in wanted.more.items()
        if not _is_said(text, found.facts[name])
    }


def _came(case: Case, content: Mapping[str, Any], names: Mapping[str, str]) -> Came:
    state, severity = AlertState(content["state"]), Severity(content["severity"])
    facts = {
        "state": state.value,
        "stale": str(content["stale"]).lower(),
        "unverified": str(content["unverified"]).lower(),
        "value": content["value"] or NONE,
        "threshold": content["threshold"] or NONE,
        "why": _why(content["evidence"]),
        "completeness": _completeness(content.get("completeness")),
        "suppressed_by": _suppressed(content.get("suppressed_by"), names),
        "held": _held(case, content.get("held")),
    }
    return Came(
        content["alert"],
        content["rule"],
        content["subject"],
        content["event_ms"],
        Change(content["change"]),
        state,
        severity,
        content["stale"],
        facts,
    )


def _is_said(wanted: str, fact: str) -> bool:
    """As written, as the same number, or as the beginning of what is said in more words."""
    if fact == wanted or fact.startswith(wanted + " "):
        return True
    try:
        return Decimal(fact) == Decimal(wanted)
    except InvalidOperation:
        return False


def _why(evidence: Mapping[str, Any]) -> str:
    return str(evidence.get("as") or evidence.get("why") or NONE)


def _completeness(content: Mapping[str, Any] | None) -> str:
    if content is None:
        return NONE
    unknown = " unknown" if content["unknown"] else ""
    return f"{content['reporting']} of {content['points']}{unknown}"


def _suppressed(by: str | None, names: Mapping[str, str]) -> str:
    if by is None:
        return NONE
    kind, colon, _ = by.partition(":")
    return kind if colon else names.get(by, by)


def _held(case: Case, content: Mapping[str, Any] | None) -> str:
    if content is None:
        return NONE
    colour = Severity(content["severity"]).name.lower()
    return f"{colour} until {clock(case, content['until_ms'])}"
