"""From the transitions of one alert to the messages that are told of it.

Nothing is told of a pending alert, nor of what concerns people's lists only. The first firing is an
Alert, each later change an Update that names all earlier messages which have not expired, at least
the one before. The end is a Cancel: with AllClear when it was measured or people say that it is
over, with a note and without AllClear when it was a false alarm, the sensor was wrong or the rule
left service (docs/cap.md says why). What stays open is told again before it expires, for as long
as its area is judged. The same transitions give the same messages, always.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.moment import SHANGHAI
from api.queries.cap_rows import CapRow
from streams.contracts.cap.model import MsgType, Reference
from streams.contracts.closing import Ending
from streams.contracts.reason import AlertState, Change, Origin, Severity

SECOND = timedelta(seconds=1)
ONLY_LISTS = (Change.HIDDEN, Change.SHOWN)  # say nothing of the danger
IDENTIFIER = re.compile(r"([^-]+)-(.+)-([0-9]{1,9})(?:\.([1-9][0-9]{0,8}))?")


@dataclass(frozen=True, slots=True)
class Told:
    """One message of the chain. `severity`: of this change, at an end the last one told.

    `renewal` counts how often a transition was told again, with nothing new but its time.
    """

    row: CapRow
    msg_type: MsgType
    severity: Severity
    identifier: str
    sent: str
    expires: str
    references: tuple[Reference, ...]
    renewal: int = 0

    @property
    def is_all_clear(self) -> bool:
        """Whether a measurement, or a person, says that the danger is over."""
        return self.row.change == Change.CLEARED or self.row.closed_as == Ending.CLOSED_BY_HAND


def identifier(namespace: str, alert: str, sequence: int, renewal: int = 0) -> str:
    """Stable and unique: the same transition of the same alert has the same."""
    again = f".{renewal}" if renewal else ""
    return f"{namespace}-{alert}-{sequence}{again}"


def split_identifier(text: str) -> tuple[str, str, int, int] | None:
    """(namespace, alert, sequence, renewal); None when it is not of our form."""
    found = IDENTIFIER.fullmatch(text)
    if found is None:
        return None
    namespace, alert, number, again = found.groups()
    return namespace, alert, int(number), int(again or 0)


def build_chain(
    rows: Sequence[CapRow],
    namespace: str,
    sender: str,
    renew_s: int | None,
    wanted: tuple[int, int] | None = None,
) -> list[Told]:
    """The messages of one alert, in order, from its transitions in order.

    `renew_s`: so long before it expires what stays open is told again (half of its validity before,
    where that is shorter); None: never. Of the tellings of one transition only the last ones are
    here, or those up to the `wanted` one (sequence, renewal): as many as it names.
    """
    told: list[Told] = []
    rows = [row for row in rows if row.change not in ONLY_LISTS]
    for number, row in enumerate(rows):
        if row.state == AlertState.PENDING or (row.state == AlertState.RESOLVED and not told):
            continue
        ended = row.state == AlertState.RESOLVED
        severity = told[-1].severity if ended else Severity(row.severity)
        kind = MsgType.CANCEL if ended else MsgType.UPDATE if told else MsgType.ALERT
        sent = _not_before(row.decided_at, told)
        span = max(row.valid_until - sent, SECOND)
        names = namespace, sender
        told.append(_told(told, row, kind, severity, names, (sent, sent + span), 0))
        if ended or renew_s is None or row.origin == Origin.REPLAYED:
            continue
        until = rows[number + 1].decided_at if number + 1 < len(rows) else row.judged_at
        step = max(span - timedelta(seconds=renew_s), span / 2)
        last = 0 if until is None else -((sent - until) // step) - 1  # the last before `until`
        if wanted is not None and wanted[0] == row.sequence:
            last = min(last, wanted[1])
        for again in range(max(1, last - span // step), last + 1):
            at = sent + again * step
            update = MsgType.UPDATE
            told.append(_told(told, row, update, severity, names, (at, at + span), again))
    return told


def cap_time(moment: datetime) -> str:
    """dateTime of CAP: +08:00, whole seconds, never Z."""
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds")


def _told(
    before: Sequence[Told],
    row: CapRow,
    kind: MsgType,
    severity: Severity,
    names: tuple[str, str],
    times: tuple[datetime, datetime],
    renewal: int,
) -> Told:
    sent, expires = map(cap_time, times)
    name = identifier(names[0], row.alert, row.sequence, renewal)
    references = _references(before, sent, names[1])
    return Told(row, kind, severity, name, sent, expires, references, renewal)


def _not_before(moment: datetime, told: Sequence[Told]) -> datetime:
    """Processing time does not go back within an alert; a message never precedes one it names."""
    return max([moment, *(datetime.fromisoformat(one.sent) for one in told[-1:])])


def _references(told: Sequence[Told], sent: str, sender: str) -> tuple[Reference, ...]:
    """All offsets are alike, so that the texts compare as the moments do."""
    named = [one for one in told[:-1] if one.expires > sent] + list(told[-1:])
    return tuple(Reference(sender, one.identifier, one.sent) for one in named)
