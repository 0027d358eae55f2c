"""From hour windows of one area-day to links' hourly results and the area's partials. Pure.

Here only the free flow of the registry counts: what is learnt is known to the stream alone, not to
a day that is made again from the store. Links without a registered one are told with their speed,
and count as missing in the partial.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.contracts.domain import HOUR_MS, AreaView, Derived, HourMatrix, Result
from streams.domains.traffic.link import Link, links_of
from streams.domains.traffic.measure import Total, measure, registered, state_of
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
    links = links_of(view)
    sums = sums_of(links, matrix, hour, numbers)
    start = matrix.day_start_ms + hour * HOUR_MS
    results = [r for link in links if (r := _result(link, matrix, hour, start, numbers))]
    return Derived(results, sums.to_payload() if sums.links else None)


def daily(view: AreaView, matrix: HourMatrix) -> Derived:
    """The area's sums over the day's 24 hours; no partial without a link."""
    numbers = read_numbers(view.parameters)
    links = links_of(view)
    day = Sums()
    for hour in range(matrix.n.shape[1]):
        day.join(sums_of(links, matrix, hour, numbers))
    return Derived((), day.to_payload() if day.links else None)


def sums_of(links: Iterable[Link], matrix: HourMatrix, hour: int, numbers: Numbers) -> Sums:
    """Integer sums of the area's registered links in one hour."""
    sums = Sums()
    for link in links:
        if not link.active:
            continue
        sums.want(link)
        measured = measure(link, totals_at(link, matrix, hour), numbers)
        if measured is None:
            continue
        state = state_of(link, measured, registered(link))
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
    link: Link, matrix: HourMatrix, hour: int, start_ms: int, numbers: Numbers
) -> Result | None:
    totals = totals_at(link, matrix, hour)
    measured = measure(link, totals, numbers)
    if measured is None:
        return None
    state = state_of(link, measured, registered(link))
    payload = of_link(measured, state) | {"intervals": max(t.n for t in totals.values())}
    return Result(LINK_HOUR, link.id, start_ms, HOUR_MS // 1000, payload)
