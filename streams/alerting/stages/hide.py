"""What hides an alert in people's lists: the ticket of a sensor that is not believed, or another
alert that says it all. Says nothing of why a ticket is open (`streams.quality`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from streams.alerting.in_force import InForce
from streams.alerting.track import BookState, Track
from streams.contracts.reason import Severity
from streams.contracts.ticket import PREFIX, by_ticket


@dataclass(frozen=True, slots=True)
class Doubt:
    """The ticket (its id) that speaks against the sensors of an alert, and the worst colour that
    it may hide."""

    ticket: str
    limit: Severity


def hider(
    state: BookState,
    rules: InForce,
    doubts: Mapping[str, Doubt],
    key: str,
    shown: int,
    whole: str,
) -> str | None:
    """What stands for a firing alert that is shown in this colour; None: it is in the lists.

    `whole` is the subject of alerts about the area itself.
    """
    doubt = doubts.get(key)
    if doubt is not None and shown <= doubt.limit and not _is_borne_out(state, doubts, key, shown):
        return PREFIX + doubt.ticket
    for parent in _parents(rules, key, whole):
        track = state.tracks.get(parent)
        if track is not None and _hides(track, shown) and _same_origin(state, parent, key):
            return track.alert
    return None


def dependants(
    state: BookState,
    rules: InForce,
    doubts: Mapping[str, Doubt],
    key: str,
    whole: str,
) -> list[tuple[int, str]]:
    """(rank, key) of open alerts whose hider this alert may be, or may bear out."""
    name, subject = key.split("|", 1)
    found = set(_children(state, rules, name, subject, whole))
    if doubts:
        found |= {k for k in doubts if k in state.tracks and k != key and _is_of(k, name)}
    return [(rules.rank(one.split("|", 1)[0]), one) for one in found]


def _parents(rules: InForce, key: str, whole: str) -> Iterator[str]:
    """Keys of alerts that may hide it: at the same subject, or about the area itself."""
    name, subject = key.split("|", 1)
    for parent in rules.parents(name):
        yield f"{parent}|{subject}"
        if subject != whole:
            yield f"{parent}|{whole}"


def _children(
    state: BookState, rules: InForce, name: str, subject: str, whole: str
) -> Iterator[str]:
    for child in rules.children(name):
        if subject == whole:
            yield from (key for key in state.tracks if _is_of(key, child))
        elif f"{child}|{subject}" in state.tracks:
            yield f"{child}|{subject}"


def _hides(parent: Track, shown: int) -> bool:
    """A parent hides while it fires, speaks, is believed, and is at least as bad."""
    if parent.stale or by_ticket(parent.hidden_by):
        return False
    return parent.severity >= shown


def _is_borne_out(state: BookState, doubts: Mapping[str, Doubt], key: str, shown: int) -> bool:
    """Whether the same rule fires as badly at another point, on sensors that are believed."""
    name = key.split("|", 1)[0]
    return any(
        not track.stale
        and track.severity >= shown
        and other not in doubts
        and other != key
        and _same_origin(state, other, key)
        for other, track in state.tracks.items()
        if _is_of(other, name)
    )


def _same_origin(state: BookState, one: str, other: str) -> bool:
    """A drill hides nothing that is live."""
    return state.origins[one] == state.origins[other]


def _is_of(key: str, rule: str) -> bool:
    return key.startswith(rule) and key[len(rule)] == "|"
