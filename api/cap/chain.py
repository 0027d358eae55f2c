"""From the transitions of one alert to the messages that are told of it.

Nothing is told of a pending alert. The first firing is an Alert, each later change an Update that
names all earlier messages which have not expired, at least the one before. The end is a Cancel:
with AllClear when it was measured, with a note and without AllClear when the sensor was wrong or
the rule left service (docs/cap.md says why). The same transitions give the same messages, always.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.moment import SHANGHAI
from api.queries.cap_rows import CapRow
from streams.contracts.cap.model import MsgType, Reference
from streams.contracts.reason import AlertState, Change, Severity

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Told:
    """One message of the chain. `severity`: of this change, at an end the last one told."""

    row: CapRow
    msg_type: MsgType
    severity: Severity
    identifier: str
    sent: str
    expires: str
    references: tuple[Reference, ...]

    @property
    def is_all_clear(self) -> bool:
        """Whether a measurement says that the danger is over."""
        return self.row.change == Change.CLEARED


def identifier(namespace: str, alert: str, sequence: int) -> str:
    """Stable and unique: the same transition of the same alert has the same."""
    return f"{namespace}-{alert}-{sequence}"


def split_identifier(text: str) -> tuple[str, str, int] | None:
    """(namespace, alert, sequence); None when it is not of our form."""
    namespace, _, rest = text.partition("-")
    alert, _, number = rest.rpartition("-")
    if not alert or not number.isdecimal() or not number.isascii():
        return None
    return namespace, alert, int(number[:9])


def build_chain(rows: Sequence[CapRow], namespace: str, sender: str) -> list[Told]:
    """The messages of one alert, in order, from its transitions in order."""
    told: list[Told] = []
    for row in rows:
        if row.state == AlertState.PENDING or (row.state == AlertState.RESOLVED and not told):
            continue
        ended = row.state == AlertState.RESOLVED
        severity = told[-1].severity if ended else Severity(row.severity)
        sent = _not_before(row.decided_at, told)
        kind = MsgType.CANCEL if ended else MsgType.UPDATE if told else MsgType.ALERT
        told.append(
            Told(
                row,
                kind,
                severity,
                identifier(namespace, row.alert, row.sequence),
                cap_time(sent),
                cap_time(max(row.valid_until, sent + SECOND)),
                _references(told, cap_time(sent), sender),
            )
        )
    return told


def cap_time(moment: datetime) -> str:
    """dateTime of CAP: +08:00, whole seconds, never Z."""
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds")


def _not_before(moment: datetime, told: Sequence[Told]) -> datetime:
    """Processing time does not go back within an alert; a message never precedes one it names."""
    return max([moment, *(datetime.fromisoformat(one.sent) for one in told[-1:])])


def _references(told: Sequence[Told], sent: str, sender: str) -> tuple[Reference, ...]:
    """All offsets are alike, so that the texts compare as the moments do."""
    named = [one for one in told[:-1] if one.expires > sent] + list(told[-1:])
    return tuple(Reference(sender, one.identifier, one.sent) for one in named)
