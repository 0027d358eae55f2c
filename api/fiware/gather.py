"""Reads what entities are made of: points with values, results and thresholds; alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from api.fiware.entity import Found, Hazard, Place, Term, Where, alert, observed
from api.fiware.models import Model
from api.queries.fiware_rows import FiringRow, NewestResultRow, ProfileRow
from api.queries.rows import PointRow
from api.routers.points import PointItem, point_items
from api.series import series_properties
from api.view import View
from streams.contracts.domain import Domain, Title


async def observed_entities(
    seen: View, model: Model, rows: Sequence[PointRow], where: Where
) -> list[Sequence[Term]]:
    """The entities of these points; those without a reading are left out."""
    items = await point_items(seen, rows)
    known = series_properties(await seen.properties(), seen.domains)
    found = await _results(seen, model, [row.id for row in rows])
    limits: Sequence[Decimal] = ()
    if model.levels is not None and model.levels.property in known:
        scale = known[model.levels.property].scale
        limits = thresholds(model.levels.property, scale, seen.domains, await _numbers(seen))
    intervals = {name: prop.interval_s for name, prop in known.items()}
    entities = (
        observed(
            model,
            _place(item, row),
            item.latest,
            where,
            intervals,
            found.get(item.id),
            limits,
        )
        for item, row in zip(items, rows, strict=True)
    )
    return [entity for entity in entities if entity is not None]


def thresholds(
    property_name: str, scale: int, domains: Mapping[str, Domain], numbers: Mapping[str, str]
) -> list[Decimal]:
    """Tiers of the rules on this property, ascending, in its unit: the city's numbers where the
    profile has them, else the defaults."""
    found: list[Decimal] = []
    for domain in domains.values():
        defaults = {p.key: p.default for p in domain.parameters}
        for rule in domain.rules:
            if rule.property == property_name:
                texts = (numbers.get(key, defaults.get(key, "")) for key, _ in rule.levels)
                found += [n.scaleb(rule.unit_scale - scale) for n in map(_decimal, texts) if n]
    return sorted(found)


async def alert_entities(
    seen: View, rows: Sequence[FiringRow], where: Where
) -> list[Sequence[Term]]:
    """The entities of alerts, each at its point or in the middle of its area."""
    titles = await seen.rule_titles(row.rule_version for row in rows)
    return [_alert(row, titles.of(row.rule, row.rule_version), where) for row in rows]


def _alert(row: FiringRow, title: Title, where: Where) -> Sequence[Term]:
    place = Place(
        id=row.point or row.area,
        name=row.point_name or row.area_name or row.subject,
        area=row.area,
        area_name=row.area_name,
        lon=row.lon,
        lat=row.lat,
    )
    data = {
        name: getattr(row, name)
        for name in ("state", "change", "value", "threshold", "unit", "stale", "unverified")
    }
    hazard = Hazard(
        id=row.id,
        title=f"{title.zh} {title.en}" if title.zh != title.en else title.zh,
        domain=row.domain,
        rule=row.rule,
        subject=row.subject,
        origin=row.origin,
        severity=row.severity,
        onset=row.onset,
        updated=row.updated,
        ended=row.ended,
        valid_until=row.valid_until,
        data={"rule": row.rule, "sequence": row.sequence, "peakSeverity": row.peak_severity} | data,
    )
    return alert(hazard, place, where)


def _place(item: PointItem, row: PointRow) -> Place:
    return Place(
        id=item.id,
        name=item.name,
        area=item.area,
        area_name=item.area_name,
        lon=item.lon,
        lat=item.lat,
        severity=item.tier.rank,
        stale=item.stale,
        attributes=row.attributes,
    )


async def _results(seen: View, model: Model, points: list[str]) -> dict[str, Found]:
    if model.derived is None:
        return {}
    rows = await seen.reader.rows(
        NewestResultRow, "newest_results", kind=model.derived.kind, points=points
    )
    return {r.point: Found(r.kind, r.start, r.period_s, r.payload) for r in rows}


async def _numbers(seen: View) -> Mapping[str, str]:
    row = await seen.reader.row(ProfileRow, "active_profile")
    return {} if row is None else {key: str(text) for key, text in row.numbers.items()}


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
