"""The domains that this platform watches, as their folders describe them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from api.problem import RESPONSES
from api.strict import StrictRoute
from api.view import Parts, parts
from streams.contracts.domain import Domain, Title

router = APIRouter(
    route_class=StrictRoute, prefix="/domains", tags=["domains"], responses=RESPONSES
)


class Named(BaseModel):
    """Something with a name for programs and titles for people."""

    model_config = ConfigDict(extra="forbid")

    name: str
    title_zh: str
    title_en: str


class PropertyItem(Named):
    """An observed property."""

    unit: str
    digits: int = Field(description="Decimal digits that are stored.")
    low: str = Field(description="Physical limits; beyond them a reading counts as failed.")
    high: str
    interval_s: int = Field(description="Length that a value covers; 0 = a moment.")
    report_s: int = Field(description="Usual seconds between readings.")
    windows_s: list[int]


class RuleItem(Named):
    """An alert rule; the numbers in force come with every alert."""

    unit: str
    of: str | None = Field(description="Property that it judges; null = a derived value.")
    severities: list[int] = Field(description="Ranks that it can raise, 1 blue to 4 red.")


class DomainItem(Named):
    """One domain."""

    point_types: list[Named]
    properties: list[PropertyItem]
    rules: list[RuleItem]
    indicators: list[str]


class Domains(BaseModel):
    """All domains, by name."""

    items: list[DomainItem]


@router.get(
    "",
    summary="Domains",
    description="What is watched: point types, properties with their units and limits, alert "
    "rules, indicators. A domain is found by its folder; nothing here is a list by hand.",
)
async def domains(known: Annotated[Parts, Depends(parts)]) -> Domains:
    return Domains(items=[domain_item(d) for _, d in sorted(known.domains.items())])


def domain_item(domain: Domain) -> DomainItem:
    """The description for programs."""
    indicators = [f.indicator for f in domain.facts] + [r.indicator for r in domain.rollups]
    return DomainItem(
        **_named(domain.name, domain.title),
        point_types=[Named(**_named(p.name, p.title)) for p in domain.points],
        properties=[
            PropertyItem(
                **_named(p.name, p.title),
                unit=p.unit,
                digits=p.scale,
                low=str(p.low),
                high=str(p.high),
                interval_s=p.interval_s,
                report_s=p.report_s,
                windows_s=list(p.windows_s),
            )
            for p in domain.properties
        ],
        rules=[
            RuleItem(
                **_named(r.name, r.title),
                unit=r.unit,
                of=r.property,
                severities=[int(severity) for _, severity in r.levels],
            )
            for r in domain.rules
        ],
        indicators=sorted(set(indicators)),
    )


def _named(name: str, title: Title) -> dict[str, str]:
    return {"name": name, "title_zh": title.zh, "title_en": title.en}
