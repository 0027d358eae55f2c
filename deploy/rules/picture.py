"""Pictures in text: what a test did in order, and values against thresholds over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploy.rules.came import Came
from deploy.rules.case import Case, HandClose, Happening, Wanted, Warned, clock
from deploy.rules.trial import Verdict, hoped, is_fault, told
from streams.alerting.ruleset import RuleSet
from streams.contracts.reason import AlertState

WIDTH, HEIGHT = 64, 12
LONGEST = 60  # lines of readings of a timeline


@dataclass(frozen=True, slots=True)
class Line:
    """A threshold across a chart."""

    name: str
    value: float


def comparison(verdict: Verdict) -> Iterator[str]:
    """What was wanted beside what happened, by rule and subject, and a strip of each."""
    case = verdict.case
    lines: list[tuple[str, str, str, str]] = []
    last = None
    for row in verdict.rows:
        wanted, found = row
        one = wanted or found
        assert one is not None
        if (about := f"{one.rule} at {one.subject}") != last:
            last = about
            lines.append(("", "", about, strip(verdict, one.rule, one.subject)))
        mark = "✗" if is_fault(row) else "✓" if wanted else " "
        at = _between(case, wanted) if wanted else clock(case, found.event_ms if found else 0)
        came = "–" if found is None else _came(case, wanted, found, _asked(verdict, one.subject))
        lines.append((mark, at, hoped(wanted) if wanted else "–", came))
    never = [w for w in case.wanted if w.never]
    lines += [(" ", "", f"{w.rule} at {w.subject}", "never") for w in never]
    widths = [max((len(line[n]) for line in lines), default=0) for n in (1, 2)]
    for mark, at, left, right in lines:
        if not mark:
            yield f"{left}   {right}"
        else:
            yield f"{mark} {at:{widths[0]}}  {left:{widths[1]}}  {right}"


def strip(verdict: Verdict, rule: str, subject: str) -> str:
    """The test's time as a strip: `·` nothing, `?` pending, the colour's letter while firing, small
    while stale."""
    case = verdict.case
    cells, since = "", case.start_ms
    found = [one for one in verdict.came if (one.rule, one.subject) == (rule, subject)]
    times = [one.time_ms for one in case.seen] + [one.event_ms for one in found]
    first, last = min(times, default=since), max([*times, case.until_ms])
    step = max(1, -(-(last - first) // WIDTH))
    for at in range(first, last, step):
        past = [one for one in found if one.event_ms < at + step]
        cells += _letter(past[-1]) if past else "·"
    return f"{clock(case, first)} {cells} {clock(case, last)}"


def _letter(one: Came) -> str:
    if one.state is AlertState.RESOLVED:
        return "·"
    if one.state is AlertState.PENDING:
        return "?"
    letter = one.severity.name[0]
    return letter.lower() if one.stale else letter


def _between(case: Case, one: Wanted) -> str:
    first, last = clock(case, one.from_ms), clock(case, one.to_ms)
    return first if first == last else f"{first}–{last}"


def _asked(verdict: Verdict, subject: str) -> list[str]:
    """The further fields that the test asks of this subject."""
    wanted = (one for one in verdict.case.wanted if one.subject == subject)
    return list(dict.fromkeys(name for one in wanted for name in one.more))


def _came(case: Case, wanted: Wanted | None, found: Came, asked: Sequence[str]) -> str:
    """In full where it is not what was wanted."""
    if wanted is not None:
        return f"{clock(case, found.event_ms)} {told(found)}"
    return ", ".join([told(found), *(f"{name} {found.facts[name]}" for name in asked)])


def timeline(verdict: Verdict) -> Iterator[str]:
    """In order of time: what was measured and happened in the world (`·`), what came (`→`, `✗`
    where nobody wanted it) and what did not (`?`)."""
    case = verdict.case
    rows = list(_world(case))
    if len(rows) > LONGEST:
        rows = rows[:: len(rows) // LONGEST + 1]
    for row in verdict.rows:
        wanted, found = row
        if found is not None:
            mark = "✗" if is_fault(row) else "→"
            text = f"{found.rule} at {found.subject} {told(found)} ({found.facts['value']})"
            rows.append((found.event_ms, 1, f"{mark} {text}"))
        elif wanted is not None:
            text = f"{wanted.rule} at {wanted.subject} {hoped(wanted)}"
            rows.append((wanted.to_ms, 2, f"? {text}"))
    for at, _, text in sorted(rows, key=lambda row: row[:2]):
        yield f"{clock(case, at)}  {text}"


def _world(case: Case) -> Iterator[tuple[int, int, str]]:
    """Values where they change, and what else happens."""
    last: dict[tuple[str, str], float] = {}
    for one in sorted(case.seen, key=lambda one: one.time_ms):
        if last.get((one.point, one.what)) != one.value:
            late = f", {one.late_ms // 1000} s late" if one.late_ms else ""
            yield one.time_ms, 0, f"· {one.point} {one.what} {one.value:g}{late}"
        last[one.point, one.what] = one.value
    for event in case.happens:
        yield event.time_ms, 0, f"· {_happening(event.what)}"


def _happening(what: Happening) -> str:
    if isinstance(what, RuleSet):
        return f"rules in force: {', '.join(one.name for one in what.rules) or 'none'}"
    if isinstance(what, Warned):
        return f"official warning {what.type} {what.severity.name.lower()}"
    if isinstance(what, HandClose):
        return f"{what.rule} at {what.subject} closed by hand: {what.ending.value}"
    return f"gone: {', '.join(sorted(what))}"


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
