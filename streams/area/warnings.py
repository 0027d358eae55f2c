"""The official warnings that are in force in one area, by what the log has said so far.

A message may come before the one that it ends: what was ended stays ended when it comes at last,
as long as it is remembered. A message ends what the same source brought, or, brought by a person,
anything: whoever may send for one county cannot cancel the province's warning. A test ends no real
warning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from streams.contracts.cap.model import Status
from streams.contracts.reason import Severity
from streams.contracts.surroundings import OpenWarning
from streams.contracts.warning import OPERATOR, Kind, OfficialWarning

REMEMBERED_MS = 7 * 24 * 3_600_000


@dataclass(slots=True)
class Held:
    """A warning in force; `ends_ms` is when it ends by itself."""

    type: str
    event: str
    severity: int
    issuers: tuple[str, ...]
    status: str
    sent_ms: int
    ends_ms: int
    series: str
    source: str


@dataclass(slots=True)
class WarningState:
    """`ended`: what was named by a later message → until when that is remembered; `series`: of
    the newest message of a series when it was sent, its id, and until when that is remembered."""

    held: dict[str, Held] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    series: dict[str, tuple[int, str, int]] = field(default_factory=dict)


class AreaWarnings:
    """See the module. `open` is what the domains are shown: worst first, then by id."""

    def __init__(self, code: str, state: WarningState | None = None) -> None:
        self._code = code
        self.state = state or WarningState()
        self.valid_hours = 24
        self.open: tuple[OpenWarning, ...] = ()
        self._show()

    def load(self, state: WarningState) -> None:
        """Puts a checkpoint in place."""
        self.state = state
        self._show()

    def take(self, warning: OfficialWarning, source: str, now_ms: int) -> None:
        """A message that `source` brought, at processing time `now_ms`."""
        self._forget(now_ms)
        state, until = self.state, now_ms + REMEMBERED_MS
        for one in warning.refers:
            state.ended[_mark(one, warning.status, source)] = until
        self._keep(lambda one, held: not self._is_ended(one, held.status, held.source))
        if self._is_news(warning, source, until):
            self._hold(warning, source, now_ms)
        self._show()

    def _hold(self, warning: OfficialWarning, source: str, now_ms: int) -> None:
        """It comes into force, unless it ends something, is over, or is about elsewhere."""
        ends_ms = warning.ends_ms(self.valid_hours)
        if (
            warning.kind is Kind.CANCEL
            or ends_ms <= now_ms
            or warning.id in self.state.held
            or self._is_ended(warning.id, warning.status, source)
            or not warning.concerns(self._code)
        ):
            return
        self.state.held[warning.id] = Held(
            warning.type,
            warning.event,
            int(warning.severity),
            warning.issuers,
            warning.status.value,
            warning.sent_ms,
            ends_ms,
            warning.series,
            source,
        )

    def due(self) -> tuple[int, str] | None:
        """(moment, id) of the warning that ends next by itself."""
        ends = ((held.ends_ms, one) for one, held in self.state.held.items())
        return min(ends, default=None)

    def expire(self, one: str, now_ms: int) -> None:
        """It has ended by itself."""
        self.state.held.pop(one, None)
        self._forget(now_ms)
        self._show()

    def _forget(self, now_ms: int) -> None:
        """What need not be remembered any more."""
        state = self.state
        state.ended = {k: until for k, until in state.ended.items() if until > now_ms}
        state.series = {k: v for k, v in state.series.items() if v[2] > now_ms}

    def _is_ended(self, one: str, status: str, source: str) -> bool:
        return any(_mark(one, status, by) in self.state.ended for by in (source, OPERATOR))

    def _is_news(self, warning: OfficialWarning, source: str, until: int) -> bool:
        """Whether nothing newer of its series is known; takes the place of the older."""
        series = self.state.series
        if not warning.series:
            return True
        known = [_mark(warning.series, warning.status, by) for by in (source, OPERATOR)]
        own = warning.sent_ms, warning.id
        if any(series[key][:2] > own for key in known if key in series):
            return False
        series[known[0]] = (*own, until)

        def is_older(one: str, held: Held) -> bool:
            may = source in (held.source, OPERATOR) and held.status == warning.status
            return may and held.series == warning.series and (held.sent_ms, one) < own

        self._keep(lambda one, held: not is_older(one, held))
        return True

    def _keep(self, wanted: Callable[[str, Held], bool]) -> None:
        self.state.held = {one: h for one, h in self.state.held.items() if wanted(one, h)}

    def _show(self) -> None:
        found = [
            OpenWarning(one, h.type, h.event, Severity(h.severity), h.issuers, Status(h.status))
            for one, h in self.state.held.items()
        ]
        self.open = tuple(sorted(found, key=lambda w: (-w.severity, w.id)))


def _mark(one: str, status: str, source: str) -> str:
    return f"{status}|{source}|{one}"
