"""Shelters (避灾安置场所): capacity, occupancy, over-capacity, silence while open, row 19.

Tiers, area per person and the two rules by evidence are house conventions or common knowledge
(domain.md §4), every number a parameter. Open: the area per person of DB33/T 2158-2021 and the
classes of GB/T 44013-2024 (texts not obtained). Operator's page: docs/domains/shelter.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from streams.contracts.domain import (
    AreaView,
    Batch,
    Checks,
    Closing,
    Domain,
    Outputs,
    Payload,
    PointType,
    Property,
    TierRule,
    Timing,
    Title,
)
from streams.contracts.reason import Severity
from streams.contracts.surroundings import Surroundings
from streams.domains.shelter import books, figures, hours, parameters, site, stock, watch
from streams.domains.shelter.balance import UNIT_SCALE

REPORT_S = 300


@dataclass(slots=True)
class State:
    """The balances at the watermark, and what has arrived."""

    books: books.Books = field(default_factory=books.Books)
    watch: watch.WatchState = field(default_factory=watch.WatchState)


def initial(view: AreaView, previous: State | None) -> State:
    """An empty state, or the previous one under another registry or profile version."""
    state = previous or State()
    state.watch = watch.fit(state.watch, view)
    return state


def step(state: State, view: AreaView, batch: Batch) -> tuple[State, Outputs]:
    """Alerts by arrival; with the first reading of a day, which shelters are offered on it."""
    before = state.watch.day
    out = watch.step(state.watch, state.books, view, batch)
    if state.watch.day != before:
        out.results += stock.new_offers(view, state.watch, batch.ingest_ms)
    return state, out


def close(state: State, view: AreaView, closing: Closing) -> tuple[State, Outputs]:
    return state, books.close(state.books, view, closing)


def heed(state: State, view: AreaView, around: Surroundings) -> tuple[State, Outputs]:
    """The rules by evidence, and which shelters are offered under the alerts of the area."""
    out = watch.heed(state.watch, view, around)
    if state.watch.day:
        out.results += stock.new_offers(view, state.watch, around.now_ms)
    return state, out


def due(state: State) -> int | None:
    return watch.due(state.watch)


def inventory(view: AreaView, state: State) -> Payload | None:
    return stock.inventory(view, state.watch, state.books)


def _persons(name: str, zh: str, en: str) -> Property:
    return Property(
        name=name,
        unit="count",
        scale=0,
        title=Title(zh, en),
        low=Decimal(0),
        high=Decimal(1_000_000),
        report_s=REPORT_S,
        windows_s=(books.WINDOW_S, 3600),
        checks=Checks(health=False),  # only while the shelter is open
    )


OPEN = Property(
    name="open",
    unit="1",
    scale=0,
    title=Title("开放状态", "open (1) or closed (0)"),
    low=Decimal(0),
    high=Decimal(1),
    report_s=REPORT_S,
    windows_s=(books.WINDOW_S, 3600),
    checks=Checks(health=False),
)
OCCUPANCY = TierRule(
    name=watch.OCCUPANCY_RULE,
    title=Title("安置人数超限", "shelter filling up"),
    levels=(
        (parameters.YELLOW_PCT, Severity.YELLOW),
        (parameters.ORANGE_PCT, Severity.ORANGE),
        (parameters.RED_OVER_PCT, Severity.RED),
    ),
    over=(parameters.RED_OVER_PCT,),
    unit_scale=UNIT_SCALE,
    unit="%",
    consecutive=parameters.CONSECUTIVE,
    clear_minutes=parameters.CLEAR_MIN,
)


def _by_evidence(name: str, zh: str, en: str) -> TierRule:
    return TierRule(
        name=name,
        title=Title(zh, en),
        levels=tuple((rank, severity) for severity, rank in parameters.RANKS.items()),
        unit_scale=0,
        clear_count=parameters.CLEAR_COUNT,
    )


DOMAIN = Domain(
    name="shelter",
    title=Title("避灾安置", "Shelters"),
    properties=(
        _persons("occupants", "安置人数", "persons present"),
        _persons("check_in", "入住人数", "persons who came in"),
        _persons("check_out", "离开人数", "persons who left"),
        OPEN,
    ),
    points=(PointType(site.POINT_TYPE, Title("避灾安置场所", "Shelter"), site.ATTRIBUTES),),
    timing=Timing(delay_s=60, horizon_s=books.HORIZON_S, bucket_s=books.WINDOW_S),
    parameters=parameters.PARAMETERS,
    mistakes=parameters.mistakes_in,
    rules=(
        OCCUPANCY,
        _by_evidence(watch.CLOSED_RULE, "红色预警下未开放", "closed under a red warning"),
        _by_evidence(watch.UNREPORTED_RULE, "开放后未上报", "no report while open"),
    ),
    facts=figures.FACTS,
    state_type=State,
    initial=initial,
    step=step,
    close=close,
    hourly=hours.hourly,
    daily=hours.daily,
    inventory=inventory,
    heed=heed,
    due=due,
    simulated="shelter",
)
