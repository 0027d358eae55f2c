"""Our wet episodes against the flood events that the network itself published.

The network's event runs from the last reading at rest to the first at rest again. Our episode
begins at the first depth of at least 1 cm and ends at the first below it that lasts; it also keeps
the last dry reading before and the first zero after, so both readings of an event are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sensors.feeds.agreement import Agreement, Disagreement, Share, quantiles
from sensors.feeds.feed import Published
from streams.storage.stored import StoredEpisode, StoredRun

EPISODE_KIND = "waterlogging"
MINUTE_MS = 60_000
CLOSE_M = Decimal("0.015")  # the 1.5 cm
CLOSE_MS = MINUTE_MS  # and 1 min


@dataclass(frozen=True, slots=True)
class Event:
    """A published event; `duration_ms` as printed, `end_ms` as printed."""

    row: Published
    start_ms: int
    end_ms: int
    peak_m: Decimal
    onset_ms: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Span:
    """One of our episodes, or several that one published event spans, in its terms."""

    start_ms: int
    dry_before_ms: int
    peak_m: Decimal
    peak_ms: int
    drained_ms: int | None
    rest_ms: int | None


def compare_events(published: Iterable[Published], run: StoredRun) -> Agreement:
    """Start, peak, time to the peak and duration of every published event."""
    episodes: dict[str, list[StoredEpisode]] = {}
    for episode in run.episodes(EPISODE_KIND):
        episodes.setdefault(episode.point, []).append(episode)
    return agree_events([_event(row) for row in published], episodes)


def agree_events(
    events: Sequence[Event], episodes: Mapping[str, Sequence[StoredEpisode]]
) -> Agreement:
    """An event matches the episodes of its point that overlap it."""
    pairs: list[tuple[Event, Span]] = []
    found = Agreement()
    split = 0
    matched: set[tuple[str, int]] = set()
    for event in events:
        mine = [e for e in episodes.get(event.row.subject, ()) if _overlaps(event, e)]
        matched |= {(e.point, e.start_ms) for e in mine}
        if not mine:
            found.disagreements.append(_missed(event))
            continue
        split += len(mine) > 1
        pairs.append((event, _span(mine)))
    found.shares.append(Share("event found", len(pairs), len(events)))
    for measure in MEASURES:
        _measure(measure, pairs, found)
    every = sum(len(list(own)) for own in episodes.values())
    found.notes.append(f"{split} events lie over several of our episodes")
    found.notes.append(f"{every - len(matched)} of our {every} episodes match no published event")
    return found


@dataclass(frozen=True, slots=True)
class Measure:
    """A difference ours − published, None when ours is not known (still open)."""

    what: str
    unit: str
    within: float
    difference: Callable[[Event, Span], float | None]
    expected: bool = True


def _minutes(ms: int) -> float:
    return ms / MINUTE_MS


MEASURES = (
    Measure(
        "start within 1 min (last reading at rest)",
        "min",
        _minutes(CLOSE_MS),
        lambda e, s: _minutes(s.dry_before_ms - e.start_ms),
    ),
    Measure(
        "start within 1 min (first depth of 1 cm)",
        "min",
        _minutes(CLOSE_MS),
        lambda e, s: _minutes(s.start_ms - e.start_ms),
        expected=False,
    ),
    Measure(
        "peak within 1.5 cm",
        "cm",
        float(CLOSE_M * 100),
        lambda e, s: float((s.peak_m - e.peak_m) * 100),
    ),
    Measure(
        "time of the peak within 1 min",
        "min",
        _minutes(CLOSE_MS),
        lambda e, s: _minutes(s.peak_ms - (e.start_ms + e.onset_ms)),
    ),
    Measure(
        "duration within 1 min (rest to rest)",
        "min",
        _minutes(CLOSE_MS),
        lambda e, s: (
            None if s.rest_ms is None else _minutes(s.rest_ms - s.dry_before_ms - e.duration_ms)
        ),
    ),
    Measure(
        "duration within 1 min (at least 1 cm deep)",
        "min",
        _minutes(CLOSE_MS),
        lambda e, s: (
            None if s.drained_ms is None else _minutes(s.drained_ms - s.start_ms - e.duration_ms)
        ),
        expected=False,
    ),
)


def _measure(measure: Measure, pairs: Sequence[tuple[Event, Span]], found: Agreement) -> None:
    differences: list[float] = []
    agree = 0
    for event, span in pairs:
        difference = measure.difference(event, span)
        close = difference is not None and abs(difference) <= measure.within + 1e-9
        agree += close
        if difference is not None:
            differences.append(difference)
        if not close and measure.expected:
            shown = "still open" if difference is None else f"{difference:+.2f} {measure.unit}"
            found.disagreements.append(
                Disagreement(
                    measure.what,
                    event.row.subject,
                    event.start_ms,
                    event.row.line,
                    _published(event),
                    f"off by {shown}",
                )
            )
    note = quantiles(differences, measure.unit)
    found.shares.append(Share(measure.what, agree, len(pairs), note, measure.expected))


def _event(row: Published) -> Event:
    def minutes(name: str) -> int:
        return int(Decimal(str(row.values[name])) * MINUTE_MS)

    return Event(
        row,
        row.start_ms,
        int(str(row.values["end_ms"])),
        Decimal(str(row.values["peak_m"])),
        minutes("onset_min"),
        minutes("duration_min"),
    )


def _overlaps(event: Event, episode: StoredEpisode) -> bool:
    end = event.end_ms if episode.end_ms is None else episode.end_ms
    return episode.start_ms <= event.end_ms and end >= event.start_ms


def _span(episodes: Sequence[StoredEpisode]) -> Span:
    first, last = episodes[0], episodes[-1]
    highest = max(episodes, key=lambda e: Decimal(e.payload["peak_m"]))
    dry_before = first.payload["dry_before_ms"]
    drained, zero = last.payload["drained_ms"], last.payload["zero_ms"]
    return Span(
        start_ms=first.start_ms,
        dry_before_ms=first.start_ms if dry_before is None else dry_before,
        peak_m=Decimal(highest.payload["peak_m"]),
        peak_ms=highest.payload["peak_ms"],
        drained_ms=drained,
        rest_ms=zero if zero is not None else drained,
    )


def _missed(event: Event) -> Disagreement:
    why = "its peak is below our wet threshold" if event.peak_m < Decimal("0.01") else ""
    return Disagreement(
        "event found",
        event.row.subject,
        event.start_ms,
        event.row.line,
        _published(event),
        "no episode",
        why,
    )


def _published(event: Event) -> str:
    return f"peak {event.peak_m * 100:.1f} cm, {event.duration_ms / MINUTE_MS:.1f} min"
