"""Pictures in text: what a test did in order, and values against thresholds over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploy.rules.trial import Verdict, clock, fits, hoped

WIDTH, HEIGHT = 64, 12
LONGEST = 60  # lines of readings of a timeline


@dataclass(frozen=True, slots=True)
class Line:
    """A threshold across a chart."""

    name: str
    value: float


def timeline(verdict: Verdict) -> Iterator[str]:
    """Readings (`·`), what happened (`→`, `✗` where nobody wanted it) and what did not (`?`)."""
    case = verdict.case
    spoken = {one.rule for one in case.wanted}
    rows: list[tuple[int, int, str]] = []
    last: dict[tuple[str, str], float] = {}
    for one in sorted(case.seen, key=lambda one: one.time_ms):
        if last.get((one.point, one.what)) != one.value:
            rows.append((one.time_ms, 0, f"· {one.point} {one.what} {one.value:g}"))
        last[one.point, one.what] = one.value
    if len(rows) > LONGEST:
        rows = rows[:: len(rows) // LONGEST + 1]
    for found in verdict.transitions:
        if found.rule in spoken:
            mark = "→" if any(fits(one, found) for one in case.wanted) else "✗"
            mark = "→" if found.change.value == "onset" else mark
            severity = found.severity.name.lower()
            text = f"{mark} {found.rule} {found.change.value} {severity} ({found.value or '-'})"
            rows.append((found.event_ms, 1, text))
    for wanted in case.wanted:
        if not wanted.never and not any(fits(wanted, one) for one in verdict.transitions):
            rows.append((wanted.to_ms, 2, f"? {wanted.rule} {hoped(case, wanted)}"))
    for at, _, text in sorted(rows, key=lambda row: row[:2]):
        yield f"{clock(case, at)}  {text}"


def chart(
    values: Sequence[tuple[int, float]], lines: Sequence[Line], marks: Sequence[int]
) -> Iterator[str]:
    """Values (`•`) by time over the thresholds (`┄`), below them where something happened (`↑`)."""
    if not values:
        return
    first, last = values[0][0], max(values[-1][0], values[0][0] + 1)
    numbers = [value for _, value in values] + [line.value for line in lines]
    low, high = min(numbers), max(numbers)
    span = (high - low) or 1.0
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]
    names = [""] * HEIGHT

    def row(value: float) -> int:
        return HEIGHT - 1 - round((value - low) / span * (HEIGHT - 1))

    def column(time_ms: int) -> int:
        return min(WIDTH - 1, max(0, (time_ms - first) * WIDTH // (last - first + 1)))

    for line in lines:
        at = row(line.value)
        grid[at] = ["┄"] * WIDTH
        names[at] = f"{names[at]} {line.name} {line.value:g}".strip()
    for time_ms, value in values:
        grid[row(value)][column(time_ms)] = "•"
    for number, cells in enumerate(grid):
        edge = f"{high - span * number / (HEIGHT - 1):10.4g}"
        yield f"{edge} │{''.join(cells)} {names[number]}".rstrip()
    under = [" "] * WIDTH
    for at in marks:
        under[column(at)] = "↑"
    yield f"{'':10} └{'─' * WIDTH}"
    if marks:
        yield f"{'':12}{''.join(under)}".rstrip()
