"""An alert closed by hand, at its place in the log of its area."""

from __future__ import annotations

import msgspec

from streams.alerting.book import Moment
from streams.area.process import Area
from streams.contracts.closing import Close, Closed
from streams.contracts.outcome import Outcome


def take_close(area: Area, close: Close, position: int, outcome: Outcome) -> None:
    """Ends the alert, or hands the close on to the region stage, whose alert it is.

    Time does not go on by it: a person's clock is not the city's.
    """
    area.touched = area.stale_view = True
    at_ms = max(area.proc_ms, 0)
    if close.region:
        area.report.close(outcome, at_ms, msgspec.to_builtins(close), position)
        return
    verdict, found = area.book.close(close, Moment(at_ms, position, area.origin))
    outcome.transitions += found
    outcome.closed.append(Closed(close.alert, close.number, verdict, close.area, at_ms, position))
    area.look_around(at_ms, outcome)
