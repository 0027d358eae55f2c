"""From hour windows of one area-day to links' hourly results and the area's partials. Pure.

A link's free flow is the registry's, else what was learnt up to the end of the day before. Links
without any are told with their speed, and count as missing in the partial.
"""

from __future__ import annotations

from streams.contracts.domain import HOUR_MS, AreaView, Derived, HourMatrix, Result
from streams.domains.traffic.free_flow import for_day
from streams.domains.traffic.link import Link, links_of
from streams.domains.traffic.measure import Total, measure, state_of
from streams.domains.traffic.network import Sums
from streams.domains.traffic.parameters import Numbers, read_numbers
from streams.domains.traffic.payload import of_link

LINK_HOUR = "traffic.link.hour"


def hourly(view: AreaView, matrix: HourMatrix, hour: int) -> Derived:
    """Results of links and the area's sums of the hour (0 … 23); no partial without a link.

    A link's hourly travel time is the mean of its intervals', its weight the vehicles counted in
    the hour: intervals without a reading are not filled in.
    """
    numbers = read_numbers(view.parameters)
    sums = sums_of(view, matrix, hour, numbers)
    start = matrix.day_start_ms + hour * HOUR_MS
    found = (_result(view, link, matrix, hour, start, numbers) for link in links_of(view))
    results = [result for result in found if result is not None]
    return Derived(results, sums.to_payload() if sums.links else None)


def daily(view: AreaView, matrix: HourMatrix) -> Derived:
    """The area's sums over the day's 24 hours; no partial without a link."""
    numbers = read_numbers(view.parameters)
    day = Sums()
    for hour in range(matrix.n.shape[1]):
        day.join(sums_of(view, matrix, hour, numbers))
    return Derived((), day.to_payload() if day.links else None)


def sums_of(view: AreaView, matrix: HourMatrix, hour: int, numbers: Numbers) -> Sums:
    """Integer sums of the area's active links in one hour."""
    sums = Sums()
    for link in links_of(view):
        if not link.active:
            continue
        free = for_day(view, link)
        sums.want(link, free)
        measured = measure(link, totals_at(link, matrix, hour), numbers)
        if measured is None:
            continue
        state = state_of(link, measured, free)
        if state is None:
            sums.unrated += 1
        else:
            sums.add(link, state)
    return sums


def totals_at(link: Link, matrix: HourMatrix, hour: int) -> dict[int, Total]:
    """The link's good readings of the hour by property, of the first series that has any."""
    found: dict[int, Total] = {}
    for prop, series in link.series.items():
        for one in series:
            n = int(matrix.n[one, hour])
            if n:
                found[prop] = Total(n, int(matrix.total[one, hour]))
                break
    return found


def _result(
    view: AreaView, link: Link, matrix: HourMatrix, hour: int, start_ms: int, numbers: Numbers
) -> Result | None:
    totals = totals_at(link, matrix, hour)
    measured = measure(link, totals, numbers)
    if measured is None:
        return None
    state = state_of(link, measured, for_day(view, link))
    payload = of_link(measured, state) | {"intervals": max(t.n for t in totals.values())}
    return Result(LINK_HOUR, link.id, start_ms, HOUR_MS // 1000, payload)
