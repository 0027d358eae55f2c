"""Facts: values of indicators, bitemporal, with what they rest on; and the catalogue."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.moment import GivenMoment, Moment, mend_plus
from api.paging import Paging, paging
from api.problem import RESPONSES, Problem, bad_parameter, not_found
from api.queries.rows import FactRow
from api.strict import StrictRoute
from api.view import Freshness, Page, Parts, Span, View, parts, span, view
from streams.contracts.domain import Domain
from streams.indicators.plan import COMPUTED, PLAN
from streams.indicators.progress import reference_path

router = APIRouter(route_class=StrictRoute, tags=["facts"], responses=RESPONSES)


class FactItem(BaseModel):
    """A value of an indicator for an area and a period, in one revision."""

    model_config = ConfigDict(extra="forbid")

    indicator: str
    area: str
    area_name: str | None
    area_name_en: str | None
    period: str
    start: Moment
    end: Moment
    revision: int
    value: str | None = Field(description="Exact decimal; null when it cannot be stated.")
    unit: str
    numerator: str | None
    denominator: str | None
    lower: str | None = Field(description="Least value that the missing part still allows.")
    upper: str | None = Field(description="Greatest value that the missing part still allows.")
    have: int
    want: int
    complete: bool = Field(description="have = want.")
    method: str
    cause: str = Field(description="closed, revised, late or registry: why this revision is.")
    known_from: Moment = Field(description="Processing time from which this was known.")
    known_to: Moment | None = Field(
        description="When the next revision took over; null = in force."
    )
    detail: dict[str, Any]


class FactHistory(BaseModel):
    """All revisions of one fact, oldest first."""

    items: list[FactItem]
    freshness: Freshness


class PlanMarks(BaseModel):
    """What the Plan's table 1 prints for a row, and what follows from it."""

    period: str = Field(description="Period whose figure is shown first.")
    base: str = Field(description="2020, as printed.")
    early: str = Field(description="Target of 2021, as printed.")
    target: str = Field(description="Target of 2025, as printed.")
    target_value: str | None = Field(description="Its number, when it is exactly one.")
    path: dict[int, str] | None = Field(
        description="线性参考值, 非规划目标: straight from the target of 2021 to that of 2025."
    )


class IndicatorItem(BaseModel):
    """An indicator that a domain computes."""

    indicator: str
    domain: str
    title_zh: str
    title_en: str
    unit: str
    periods: list[str]
    levels: list[str]
    source: str | None = Field(description="Daily indicator that it is rolled up from.")
    plan_row: int | None = Field(description="Row of the Plan's table 1.")
    plan: PlanMarks | None = Field(description="Marks of that row.")
    method: str


class Indicators(BaseModel):
    """The catalogue."""

    items: list[IndicatorItem]


@router.get(
    "/facts",
    summary="Facts",
    description="Facts, newest period first, with completeness, bounds, method, cause and "
    "revision. `as_of` reads what was known at that processing time instead of now.",
)
async def facts(
    seen: Annotated[View, Depends(view)],
    page: Annotated[Paging, Depends(paging)],
    when: Annotated[Span, Depends(span)],
    indicator: Annotated[str | None, Query(examples=["plan.15"])] = None,
    area: Annotated[str | None, Query(description="Exactly this area.")] = None,
    below: Annotated[str | None, Query(description="This area and everything under it.")] = None,
    period: Annotated[str | None, Query(examples=["hour", "day", "month", "year"])] = None,
    as_of: Annotated[
        GivenMoment | None, Query(description="Known at this processing time.")
    ] = None,
) -> Page[FactItem]:
    start, after_indicator, after_area, after_period = page.key(datetime, str, str, str)
    if area is not None and below is not None:
        raise bad_parameter("below", "give either area or below")
    codes = await seen.codes_below(area or below, figures=True)
    rows = await seen.reader.rows(
        FactRow,
        "facts",
        indicator=indicator,
        areas=[area] if area else codes,
        period=period,
        start=when.start,
        end=when.end,
        known_at=as_of,
        after_start=start,
        after_indicator=after_indicator,
        after_area=after_area,
        after_period=after_period,
        limit=page.limit + 1,
    )
    kept, cursor = page.cut(
        rows, lambda row: (row.start.isoformat(), row.indicator, row.area, row.period)
    )
    return Page[FactItem](
        items=[fact_item(row) for row in kept], next=cursor, freshness=seen.freshness()
    )


@router.get(
    "/facts/{indicator}/{area}/{period}/{start}",
    summary="One fact with all revisions",
    description="`start` is the start of the period (ISO 8601 with an offset).",
)
async def fact(
    indicator: str, area: str, period: str, start: str, seen: Annotated[View, Depends(view)]
) -> FactHistory:
    rows = await seen.reader.rows(
        FactRow,
        "fact_revisions",
        indicator=indicator,
        area=area,
        period=period,
        start=path_moment(start),
    )
    if not rows:
        raise not_found("fact", f"{indicator}/{area}/{period}/{start}")
    return FactHistory(items=[fact_item(row) for row in rows], freshness=seen.freshness())


@router.get(
    "/indicators",
    summary="Indicators",
    description="The catalogue, from the domains that are installed.",
)
async def indicators(given: Annotated[Parts, Depends(parts)]) -> Indicators:
    return Indicators(
        items=[item for domain in given.domains.values() for item in catalogue(domain)]
    )


def catalogue(domain: Domain) -> list[IndicatorItem]:
    """The domain's indicators, computed ones first."""
    computed = [
        IndicatorItem(
            indicator=spec.indicator,
            domain=domain.name,
            title_zh=spec.title.zh,
            title_en=spec.title.en,
            unit=spec.unit,
            periods=[spec.period],
            levels=list(spec.levels),
            source=None,
            plan_row=spec.plan_row,
            plan=plan_marks(spec.plan_row),
            method=spec.method,
        )
        for spec in domain.facts
    ]
    rolled = [
        IndicatorItem(
            indicator=spec.indicator,
            domain=domain.name,
            title_zh=spec.title.zh,
            title_en=spec.title.en,
            unit=spec.unit,
            periods=list(spec.periods),
            levels=["city", "province"],
            source=spec.source,
            plan_row=spec.plan_row,
            plan=plan_marks(spec.plan_row),
            method=spec.method,
        )
        for spec in domain.rollups
    ]
    return computed + rolled


def plan_marks(number: int | None) -> PlanMarks | None:
    """Of a row that the streams compute; None for any other."""
    if number is None or number not in COMPUTED:
        return None
    row = PLAN[number]
    path, goal = reference_path(row), row.target.value
    return PlanMarks(
        period=COMPUTED[number],
        base=row.base.text,
        early=row.early.text,
        target=row.target.text,
        target_value=None if goal is None else str(goal),
        path=None if path is None else {year: str(value) for year, value in path.items()},
    )


def path_moment(text: str) -> datetime:
    """An instant out of a path; `Problem` 422 when it is none or has no offset."""
    try:
        moment = datetime.fromisoformat(str(mend_plus(text)))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Problem(422, f"{text!r} is not an ISO 8601 time with an offset.")
    return moment


def fact_item(row: FactRow) -> FactItem:
    """The row for people."""
    return FactItem(
        indicator=row.indicator,
        area=row.area,
        area_name=row.area_name,
        area_name_en=row.area_name_en,
        period=row.period,
        start=row.start,
        end=row.end,
        revision=row.revision,
        value=row.value,
        unit=row.unit,
        numerator=row.numerator,
        denominator=row.denominator,
        lower=row.lower,
        upper=row.upper,
        have=row.have,
        want=row.want,
        complete=row.have == row.want,
        method=row.method,
        cause=row.cause,
        known_from=row.known_from,
        known_to=row.known_to,
        detail=dict(row.detail),
    )
