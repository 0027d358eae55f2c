"""Our daily city facts of a year against the city's own bulletin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from sensors.feeds.agreement import Agreement, Disagreement, Share
from sensors.feeds.feed import Published
from streams.contracts.domain import SHANGHAI_OFFSET_MS
from streams.domains.air.period import ANNUAL_PERCENTILES, annual_mean, percentile
from streams.storage.stored import StoredFact, StoredResult, StoredRun

DAY_FACT = "air.aqi.day"
STATION_DAY = "air.station.day"
EXCELLENT, GOOD, HEAVY_OVER = 50, 100, 200  # HJ 633-2012 Table 2: 优, 良, 重度 and above
BACKGROUND = "site"

Days = Mapping[date, Mapping[str, Fraction]]


def compare_year(published: Iterable[Published], run: StoredRun) -> Agreement:
    """Day counts, annual means, CO P95 and O3 P90 of each bulletin's year and city."""
    found = Agreement()
    facts = run.facts(DAY_FACT, "day")
    background = {p for p, attributes in run.points().items() if attributes.get(BACKGROUND)}
    stations = [r for r in run.results(STATION_DAY) if r.point not in background]
    for bulletin in published:
        mine = [f for f in facts if f.area == bulletin.subject and _year(f.start_ms, bulletin)]
        near = [r for r in stations if _year(r.start_ms, bulletin)]
        found.join(agree_year(bulletin, mine, near))
    return found


def agree_year(
    bulletin: Published, facts: Sequence[StoredFact], stations: Sequence[StoredResult]
) -> Agreement:
    """Figures side by side. `stations` are the daily results without background sites."""
    aqi = [int(fact.value) for fact in facts if fact.value is not None]
    days: Days = {_date(fact.start_ms): _means(fact) for fact in facts}
    ours = {
        "good_days": str(sum(value <= GOOD for value in aqi)),
        "excellent_days": str(sum(value <= EXCELLENT for value in aqi)),
        "moderate_days": str(sum(EXCELLENT < value <= GOOD for value in aqi)),
        "heavily_polluted_days": str(sum(value > HEAVY_OVER for value in aqi)),
        "CO_24h_p95_mg_m3": _percentile(days, "co", "0.1"),
        "O3_MDA8_p90_ug_m3": _percentile(days, "o3_8h", "1"),
    }
    ours |= {
        name: _shown(_mean(days, name.removeprefix("mean_")), "1")
        for name in bulletin.values
        if name.startswith("mean_")
    }
    found = Agreement(notes=_days_left_out(bulletin, facts))
    agree = 0
    for name, mine in ours.items():
        stated = bulletin.values[name]
        agree += stated == mine
        if stated != mine:
            found.disagreements.append(
                Disagreement(name, bulletin.subject, bulletin.start_ms, 0, str(stated), mine)
            )
        found.shares.append(
            Share(name, int(stated == mine), 1, f"published {stated}, ours {mine}", expected=False)
        )
    found.notes += _without_background(bulletin, days, stations)
    return found


def _days_left_out(bulletin: Published, facts: Sequence[StoredFact]) -> list[str]:
    """Days that are in no figure: without enough data, or not over when the recording ends."""
    stated = {_date(fact.start_ms): fact.value for fact in facts}
    first = _date(bulletin.start_ms)
    wanted = [first + timedelta(days=n) for n in range(int(str(bulletin.values["days_in_year"])))]
    invalid = [str(day) for day in wanted if day in stated and stated[day] is None]
    unended = [str(day) for day in wanted if day not in stated]
    valid = len(wanted) - len(invalid) - len(unended)
    return [
        f"{valid} valid days of {len(wanted)}",
        f"{len(invalid)} days without enough data: {', '.join(invalid[:10]) or '-'}",
        f"{len(unended)} days that the recording does not end: {', '.join(unended[-3:]) or '-'}",
    ]


def _without_background(
    bulletin: Published, days: Days, stations: Sequence[StoredResult]
) -> list[str]:
    """The annual means over the stations that are no background sites, unrounded enough to see."""
    sums: dict[date, dict[str, list[Fraction]]] = {}
    for result in stations:
        for item, text in result.payload["concentration"].items():
            day = sums.setdefault(_date(result.start_ms), {})
            day.setdefault(item, []).append(Fraction(text))
    near = {
        day: {item: sum(values, Fraction(0)) / len(values) for item, values in items.items()}
        for day, items in sums.items()
    }
    names = [n.removeprefix("mean_") for n in bulletin.values if n.startswith("mean_")]
    return [
        f"annual mean of {name}: {_shown(_mean(days, name), '0.1')} over all stations, "
        f"{_shown(_mean(near, name), '0.1')} without the background site, "
        f"published {bulletin.values['mean_' + name]}"
        for name in names
    ]


def _mean(days: Days, item: str) -> Fraction | None:
    return annual_mean({day: values[item] for day, values in days.items() if item in values})


def _percentile(days: Days, item: str, digit: str) -> str:
    values = [found[item] for found in days.values() if item in found]
    return _shown(percentile(values, ANNUAL_PERCENTILES[item]), digit)


def _shown(value: Fraction | None, digit: str) -> str:
    if value is None:
        return "not enough days"
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return str(exact.quantize(Decimal(digit), ROUND_HALF_EVEN))


def _means(fact: StoredFact) -> dict[str, Fraction]:
    return {
        item: Fraction(int(found["mean"][0]), int(found["mean"][1]))
        for item, found in fact.detail["concentration"].items()
        if item not in fact.detail["below_quorum"]
    }


def _date(start_ms: int) -> date:
    zone = timezone(timedelta(milliseconds=SHANGHAI_OFFSET_MS))
    return datetime.fromtimestamp(start_ms / 1000, zone).date()


def _year(start_ms: int, bulletin: Published) -> bool:
    return _date(start_ms).year == _date(bulletin.start_ms).year
