"""Laws of grouping: counts add up, splits and the order among places do not matter, and what is
told in the order of its time is grouped as the intervals are."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from api.actions.incident import GAP_MS, NOTHING, Grouping, Held, Phase, Told

MINUTE = 60_000
AREAS = ("330106", "330108", "330100")


@st.composite
def told(draw: st.DrawFn) -> list[Told]:
    """Transitions of a few alerts in the order of their event time."""
    found: list[Told] = []
    for number in range(draw(st.integers(1, 8))):
        minute = draw(st.integers(0, 300))
        steps = draw(st.integers(1, 4))
        for step in range(1, steps + 1):
            over = step == steps and draw(st.booleans())
            hold = draw(st.none() | st.integers(1, 90))
            found.append(
                Told(
                    number=0,
                    alert=f"a{number}",
                    sequence=step,
                    status="Actual",
                    domain="waterlogging",
                    area=AREAS[number % len(AREAS)],
                    at_ms=minute * MINUTE,
                    phase=Phase.RESOLVED if over else Phase.FIRING,
                    severity=draw(st.integers(1, 4)),
                    hidden_by=draw(st.sampled_from((None, None, "parent"))),
                    held=None if hold is None else Held(4, (minute + hold) * MINUTE),
                )
            )
            minute += draw(st.integers(0, 60))
    found.sort(key=lambda each: (each.at_ms, each.alert))
    return [_numbered(each, number) for number, each in enumerate(found)]


def _numbered(each: Told, number: int) -> Told:
    return Told(
        number, each.alert, each.sequence, each.status, each.domain, each.area, each.at_ms,
        each.phase, each.severity, each.hidden_by, each.held,
    )  # fmt: skip


def grouped(stream: list[Told]) -> Grouping:
    made = Grouping()
    for each in stream:
        made.take(each)
    return made


@given(told())
def test_counts_add_up(stream: list[Told]) -> None:
    made = grouped(stream)
    made.pass_time(10**9)
    for incident in made.incidents.values():
        own = [m for m in made.members.values() if m.incident == incident.id]
        assert incident.open + incident.hidden + incident.ended == len(own)
        assert incident.ended == sum(m.ended_ms is not None for m in own)
        shown = Counter(m.shown for m in own if m.shown != NOTHING)
        assert incident.by_severity == [shown[rank] for rank in range(5)]
        assert incident.severity == max(shown, default=0) <= incident.peak
        assert (incident.closed_ms is None) or incident.firing == 0
        assert [s.number for s in made.steps if s.incident == incident.id] == list(
            range(1, incident.steps + 1)
        )
    assert set(made.members) == {t.alert for t in stream if t.phase is Phase.FIRING}


@given(told(), st.integers(0, 30))
def test_a_split_changes_nothing(stream: list[Told], at: int) -> None:
    first = grouped(stream[:at])
    second = Grouping(first.incidents.values(), first.members.values())
    for each in stream[at:]:
        second.take(each)
    whole = grouped(stream)
    assert second.incidents == whole.incidents
    assert second.members == whole.members
    assert [*first.steps, *second.steps] == whole.steps


@given(told())
def test_again_changes_nothing(stream: list[Told]) -> None:
    made = grouped(stream)
    before = (repr(made.incidents), repr(made.members), list(made.steps))
    for each in stream:
        made.take(each)
    made.pass_time(0)
    assert (repr(made.incidents), repr(made.members), made.steps) == before


@given(told())
def test_the_order_among_places_does_not_matter(stream: list[Told]) -> None:
    by_place = sorted(stream, key=lambda each: (each.area, each.at_ms, each.number))
    one, other = grouped(stream), grouped(by_place)
    assert repr(sorted(one.incidents.items())) == repr(sorted(other.incidents.items()))
    assert sorted(one.steps, key=repr) == sorted(other.steps, key=repr)


@given(told())
def test_they_are_what_the_intervals_say(stream: list[Told]) -> None:
    """Without holds: one incident for each stretch of firing that no gap cuts."""
    bare = [
        Told(*[getattr(each, name) for name in Told.__slots__ if name != "held"]) for each in stream
    ]
    made = grouped(bare)
    expected: set[tuple[str, int]] = set()
    for area in AREAS:
        until: float = float("-inf")
        for began, ended in sorted(
            (m.began_ms, float("inf") if m.ended_ms is None else float(m.ended_ms))
            for m in made.members.values()
            if m.area == area
        ):
            if began > until + GAP_MS:
                expected.add((area, began))
            until = max(until, ended)
    assert {(i.key[2], i.began_ms) for i in made.incidents.values()} == expected
