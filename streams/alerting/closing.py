"""Alerts that people closed: they have ended, but their water has not.

A closed track is followed in silence until it ends by itself, so that the next reading does not
raise the same alert again. A rise above the severity at which it was closed is a new alert.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from streams.alerting.rule import fingerprint
from streams.alerting.track import Step, Track
from streams.contracts.closing import Close, Verdict
from streams.contracts.reason import Change

FORGET_MS = 6 * 3_600_000


def find_open(tracks: Mapping[str, Track], close: Close) -> tuple[Verdict, str]:
    """Whether the close holds, and the key of the alert that it ends."""
    for key, track in tracks.items():
        if track.alert == close.alert and not track.closed:
            return (Verdict.RISEN if _severity(track, track.level) > close.severity
                    else Verdict.CLOSED), key  # fmt: skip
    return Verdict.NOT_OPEN, ""


def told(key: str, track: Track, steps: Iterable[Step]) -> Iterator[tuple[Step, bool]]:
    """The steps, each with whether it is a transition; of a closed track none is, but for a rise
    above the severity at which it was closed: from there on the track is another alert's."""
    for step in steps:
        if not track.closed:
            yield step, True
        elif step.change in (Change.CONFIRMED, Change.RAISED) and (
            _severity(track, step.tier) > track.closed
        ):
            name, subject = key.split("|", 1)
            track.alert = fingerprint(name, subject, step.event_ms)
            track.onset_ms, track.sequence, track.closed = step.event_ms, 0, 0
            yield Step(Change.ONSET, step.tier, step.event_ms, step.value), True
            yield Step(Change.CONFIRMED, step.tier, step.event_ms, step.value), True
        else:
            yield step, False


def is_forgotten(track: Track, time_ms: int, forget_ms: int) -> bool:
    """Whether the sensor of a closed alert was silent for so long that what it measures now is
    another matter."""
    return bool(track.closed) and track.stale and time_ms - track.last_ms >= forget_ms


def _severity(track: Track, tier: int) -> int:
    return track.tiers[tier - 1] if tier and track.tiers else 0
