"""Laws of the region stage: the same facts however partitions interleave and steps are cut."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contracts.domain import HOUR_MS
from streams.contracts.outcome import RegionMessage, Transition
from streams.region.order import Sequencer
from streams.region.pages import Fact
from tests.support.region_bench import Bench
from tests.support.toy_level import COUNTIES, clock, partial, silence, watermark

AREAS = tuple(COUNTIES)
T0 = 1_699_977_600_000
END = T0 + 400 * HOUR_MS


@st.composite
def streams(draw: st.DrawFn) -> list[list[RegionMessage]]:
    """One list per area: messages in the order of their processing time."""
    found = []
    for area in AREAS:
        proc, mark, messages = T0, T0 - HOUR_MS, []
        for sequence in range(draw(st.integers(0, 12))):
            proc += draw(st.sampled_from((0, 1, HOUR_MS // 2, HOUR_MS)))
            messages.append(draw(one_message(area, proc, mark, sequence)))
            if messages[-1].kind == "watermark":
                mark = int(messages[-1].payload["watermark"])
        found.append(messages)
    return found


def one_message(area: str, proc: int, mark: int, sequence: int) -> st.SearchStrategy[RegionMessage]:
    hour = st.integers(0, 4).map(lambda h: T0 + h * HOUR_MS)
    values = st.lists(st.integers(0, 1000), max_size=3)
    cause = st.sampled_from(("closed", "revised", "late"))
    return st.one_of(
        st.builds(
            lambda start, v, c: partial(area, proc, start, v, cause=c, sequence=sequence),
            hour, values, cause,
        ),
        st.builds(
            lambda h, active: watermark(
                area, proc, mark + h * HOUR_MS, active=active, sequence=sequence
            ),
            st.integers(0, 2), st.booleans(),
        ),
        st.builds(
            lambda n, speaking: silence(
                area, proc, n, 2, speaking=speaking, sequence=sequence
            ),
            st.integers(0, 2), st.booleans(),
        ),
    )  # fmt: skip


def interleave(lists: Sequence[list[RegionMessage]], picks: Sequence[int]) -> list[RegionMessage]:
    """Merges the lists, keeping the order inside each."""
    left = [list(one) for one in lists]
    found = []
    for pick in picks:
        open_lists = [one for one in left if one]
        if not open_lists:
            break
        found.append(open_lists[pick % len(open_lists)].pop(0))
    return found + [m for one in left for m in one]


def run(
    messages: Sequence[RegionMessage], cuts: set[int], ticks: bool
) -> tuple[list[Fact], list[Transition]]:
    bench, order = Bench(), Sequencer(AREAS)
    transitions: list[Transition] = []
    batch: list[RegionMessage] = []
    for number, message in enumerate(messages):
        batch.append(message)
        if ticks and message.kind != "clock":
            batch.append(clock([message.area], message.proc_ms))
        if number in cuts:
            transitions += bench.apply(*order.push(batch)).transitions
            batch = []
    transitions += bench.apply(*order.push([*batch, clock(AREAS, END)])).transitions
    assert order.waiting == []
    return bench.pages.history, transitions


@settings(max_examples=60, deadline=None)
@given(
    streams(),
    st.lists(st.integers(0, 2), max_size=40),
    st.sets(st.integers(0, 40)),
    st.booleans(),
)
def test_interleaving_cuts_and_ticks_change_nothing(
    lists: list[list[RegionMessage]], picks: list[int], cuts: set[int], ticks: bool
) -> None:
    straight = run([m for one in lists for m in one], set(), ticks=False)
    assert run(interleave(lists, picks), cuts, ticks) == straight


@settings(max_examples=60, deadline=None)
@given(streams())
def test_newest_city_fact_is_what_its_newest_partials_say(
    lists: list[list[RegionMessage]],
) -> None:
    bench, order = Bench(), Sequencer(AREAS)
    messages = [m for one in lists for m in one]
    final = [watermark(a, END - 1, END, sequence=99) for a in AREAS]
    bench.apply(*order.push([*messages, *final, clock(AREAS, END)]))
    newest: dict[tuple[str, int], tuple[int, int]] = {}
    for m in messages:
        if m.kind == "partial":
            newest[m.area, m.start_ms] = (int(m.payload["total"]), int(m.payload["n"]))
    for start in {start for _, start in newest}:
        parts = [v for (a, s), v in newest.items() if s == start and COUNTIES[a] == "330100"]
        total, count = sum(t for t, _ in parts), sum(n for _, n in parts)
        fact = bench.pages.facts("toy.hour", "hour", start).get("330100")
        stated = None if fact is None else fact.value.numerator
        assert stated == (str(total) if count else None)


@settings(max_examples=40, deadline=None)
@given(streams())
def test_revisions_are_numbered_and_known_in_order(lists: list[list[RegionMessage]]) -> None:
    facts, _ = run([m for one in lists for m in one], set(), ticks=False)
    newest: dict[object, Fact] = {}
    for fact in facts:
        before = newest.get(fact.key)
        assert fact.revision == (before.revision + 1 if before else 1)
        if before is not None:
            assert fact.known_from_ms > before.known_from_ms
            assert fact.value != before.value
        newest[fact.key] = fact
