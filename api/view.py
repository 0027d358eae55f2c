"""What every route works with: the app's parts, and one namespace in one snapshot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.access.guard import reach_here
from api.access.role import EVERYTHING, Reach
from api.moment import GivenMoment, Moment
from api.problem import Mistake, Problem, bad_parameter
from api.queries.database import Database, Reader
from api.queries.rows import ClockRow, PropertyRow
from api.titles import TitleCache
from streams.alerting.title import RuleTitles
from streams.contracts.area_code import stem_of
from streams.contracts.domain import Domain

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the app is built from; the same for all requests."""

    database: Database
    namespace: str  # the default one
    domains: Mapping[str, Domain]
    stalled_s: float = 30.0  # a record that waits longer than this makes the worker unhealthy
    poll_s: float = 1.0  # how often the live broadcaster looks
    heartbeat_s: float = 10.0  # between two heartbeats of an event stream
    keep_events_days: int = 30  # how long an event cursor is good for; 0 = for ever
    conninfo: str = field(default="", repr=False)  # for people's changes
    titles: TitleCache = field(default_factory=TitleCache)


class Freshness(BaseModel):
    """How fresh and complete the namespace is, by its own processing clock, never the wall's."""

    model_config = ConfigDict(extra="forbid")

    namespace: str
    kind: str = Field(description="live, simulated, replay, verify or drill.")
    as_of: Moment | None = Field(description="Processing time: what has been taken into account.")
    newest_event: Moment | None = Field(description="Event time of the newest reading.")
    lag_records: int = Field(description="Log records that wait to be processed.")
    areas: int = Field(description="Areas that have points.")
    areas_reporting: int = Field(description="Areas that ever sent something.")
    areas_unknown: int = Field(description="Areas shown as unknown over their last colour.")
    complete: bool = Field(description="Nothing waits, and every area with points is known.")


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(description="Cursor of the next page; null on the last.")
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class View:
    """One namespace in one snapshot, of the areas that the caller may see."""

    reader: Reader
    clock: ClockRow
    domains: Mapping[str, Domain]
    reach: Reach = EVERYTHING
    titles: TitleCache = field(default_factory=TitleCache)

    @property
    def as_of(self) -> datetime | None:
        return self.clock.as_of

    def freshness(self) -> Freshness:
        return freshness(self.clock)

    async def properties(self) -> Mapping[str, PropertyRow]:
        """The catalogue of properties by name."""
        return {row.name: row for row in await self.reader.rows(PropertyRow, "properties")}

    async def rule_titles(self, versions: Iterable[str]) -> RuleTitles:
        """What rules are called in alerts of these rule versions."""
        return await self.titles.titles(self.reader, self.domains, versions)

    async def codes_below(
        self, area: str | None, *, shared: bool = False, figures: bool = False
    ) -> list[str] | None:
        """The area and everything under it; None = no filter. `Problem` 422 when unknown.

        `Problem` 403 when all of it is outside of the caller's areas, unless what is asked for is
        `shared`, or `figures`, which of cities and the province are for everybody.
        """
        if area is None:
            return None
        codes = await self.reader.column("below", area=area)
        if not codes:
            raise bad_parameter("area", f"there is no area {area!r}")
        if not shared:
            self.must_meet(area, figures=figures)
        return [str(code) for code in codes]

    async def reached_below(self, area: str | None) -> list[str] | None:
        """Like `codes_below`, but of the caller's areas only, also when no area is asked for."""
        codes = await self.codes_below(area)
        if not self.reader.limited:
            return codes
        if codes is None:
            codes = [str(code) for code in await self.reader.column("codes")]
        return [code for code in codes if self.reach.covers(code)]

    def must_meet(self, area: str, *, figures: bool = False) -> None:
        """`Problem` 403 when all of the area is outside of the caller's."""
        if (
            not self.reader.limited
            or self.reach.meets(area)
            or (figures and len(stem_of(area)) < 6)
        ):
            return
        raise Problem(403, f"{area} is outside of the areas that you may see: {self.reach}.")

    def domain_named(self, name: str | None) -> Domain | None:
        """The domain; None = no filter. `Problem` 422 when unknown."""
        if name is None:
            return None
        if name not in self.domains:
            raise bad_parameter(
                "domain", f"there is no domain {name!r}; known: {', '.join(self.domains)}"
            )
        return self.domains[name]


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of time, either end may be absent."""

    start: datetime | None
    end: datetime | None


def freshness(clock: ClockRow) -> Freshness:
    """The clock row for people."""
    return Freshness(
        namespace=clock.name,
        kind=clock.kind,
        as_of=clock.as_of,
        newest_event=clock.newest_event,
        lag_records=clock.lag,
        areas=clock.areas,
        areas_reporting=clock.reporting,
        areas_unknown=clock.unknown,
        complete=clock.as_of is not None
        and clock.lag == 0
        and clock.unknown == 0
        and clock.reporting >= clock.areas,
    )


def parts(request: Request) -> Parts:
    """Dependency: the app's parts."""
    found: Parts = request.app.state.parts
    return found


def chosen_namespace(
    request: Request,
    namespace: Annotated[
        str | None,
        Query(description="Namespace to read; default: the one this API was started with."),
    ] = None,
) -> str:
    """Dependency: the namespace of the request."""
    return namespace or parts(request).namespace


@asynccontextmanager
async def viewing(given: Parts, namespace: str, reach: Reach) -> AsyncIterator[View]:
    """The namespace in one snapshot, of these areas, for as long as a look takes."""
    async with given.database.reading(namespace, reach.stems()) as reader:
        yield View(reader, await read_clock(reader), given.domains, reach, given.titles)


async def view(
    request: Request, namespace: Annotated[str, Depends(chosen_namespace)]
) -> AsyncIterator[View]:
    """Dependency: the namespace in one snapshot, of the caller's areas; 404 when there is none."""
    async with viewing(parts(request), namespace, reach_here(request)) as seen:
        yield seen


async def read_clock(reader: Reader) -> ClockRow:
    """The namespace's clock."""
    clock = await reader.row(ClockRow, "clock")
    if clock is None:
        raise Problem(404, f"The namespace {reader.namespace!r} is not set up yet.")
    return clock


def span(
    start: Annotated[
        GivenMoment | None,
        Query(
            alias="from",
            description="Start, inclusive: ISO 8601 with an offset.",
            examples=["2024-09-16T06:00:00+08:00"],
        ),
    ] = None,
    end: Annotated[
        GivenMoment | None,
        Query(alias="to", description="End, exclusive: ISO 8601 with an offset."),
    ] = None,
) -> Span:
    """Dependency: `from` and `to`."""
    if start is not None and end is not None and end <= start:
        raise Problem(
            422,
            "The request has a mistake.",
            [Mistake(parameter="query.to", detail="must be later than `from`")],
        )
    return Span(start, end)
