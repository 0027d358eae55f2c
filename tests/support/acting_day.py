"""A day of people: at a time of day an alert moves, somebody acts, and what follows is looked up.

Real PostgreSQL. Alerts are written as the pipeline does it, numbered by the sequencer and heeded by
`advance`, whenever the clock of the day is set. Times are "HH:MM" in Shanghai.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from api.actions import closures
from api.actions.actor import Actor
from api.actions.advance import PLAN, Plan, advance
from api.actions.closure import NOTHING, Given, State, Step
from api.actions.incidents import group
from streams.contracts.outcome import Transition
from streams.contracts.reason import AlertState, Change, NamespaceKind, Origin, Severity
from streams.storage.alerts import write_transitions
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.sequencer import number_outbox

SHANGHAI = timezone(timedelta(hours=8))
DAY = datetime(2026, 7, 1, tzinfo=SHANGHAI)
AREAS = (
    ("330000", "province", None, "浙江省", "Zhejiang"),
    ("330100", "city", "330000", "杭州市", "Hangzhou"),
    ("330106", "county", "330100", "西湖区", "Xihu"),
    ("330102", "county", "330100", "上城区", "Shangcheng"),
)
COUNTY = "330106"
POINT = "wl-330106-003"
LINK = "rl-330106-0003"
VALID = timedelta(minutes=15)


def moment(text: str) -> datetime:
    """The instant of a time of the day."""
    hours, minutes = (int(part) for part in text.split(":"))
    return DAY + timedelta(hours=hours, minutes=minutes)


class Day:
    """See the module."""

    def __init__(
        self,
        conninfo: str,
        namespace: str,
        kind: NamespaceKind = NamespaceKind.LIVE,
        plan: Plan = PLAN,
    ) -> None:
        migrate(conninfo, namespace, kind, domains={}, partitions=1)
        self.conninfo, self.namespace, self.kind, self.plan = conninfo, namespace, kind, plan
        self.connection = connect(conninfo, namespace, "citybrain test", autocommit=True)
        self.now = moment("00:00")
        self._sequences: dict[str, int] = {}
        self._onsets: dict[str, datetime] = {}
        for area in AREAS:
            self.run(
                "insert into area (code, level, parent, name, name_en) values (%s, %s, %s, %s, %s)",
                *area,
            )
        self.add_point(POINT, "flood_point", {"link": LINK})
        self.add_point(LINK, "road_link", {})

    def add_point(self, id: str, type: str, attributes: Mapping[str, str]) -> None:
        """A point of the county."""
        self.run(
            "insert into point (id, type, area, name, attributes) values (%s, %s, %s, %s, %s)",
            id, type, COUNTY, id, Jsonb(dict(attributes)),
        )  # fmt: skip

    def at(self, text: str) -> None:
        """Sets the clock; what follows by itself until then has followed."""
        self.now = moment(text)
        self.advance()

    def advance(self) -> None:
        """Numbers and heeds everything that waits."""
        number_outbox(self.connection)
        while group(self.connection).more:
            pass
        while advance(self.connection, self.now, self.plan).more:
            pass

    def alert(
        self,
        severity: Severity = Severity.ORANGE,
        change: Change = Change.CONFIRMED,
        *,
        name: str = "flood",
        point: str = POINT,
        stale: bool = False,
        origin: Origin | None = None,
    ) -> str:
        """A transition of an alert, now; gives its id."""
        over = change in (Change.CLEARED, Change.WITHDRAWN, Change.NOT_CONFIRMED)
        number = self._sequences[name] = self._sequences.get(name, 0) + 1
        onset = self._onsets.setdefault(name, self.now)
        live = Origin.LIVE if self.kind is NamespaceKind.LIVE else Origin.SIMULATED
        transition = Transition(
            alert=name,
            sequence=number,
            rule="waterlogging.depth",
            rule_version="1",
            domain="waterlogging",
            area=COUNTY,
            point=point,
            subject=point,
            onset_ms=_ms(onset),
            event_ms=_ms(self.now),
            decided_ms=_ms(self.now),
            state=AlertState.RESOLVED if over else AlertState.FIRING,
            severity=severity,
            stale=stale,
            unverified=False,
            change=change,
            value="0" if over else "0.31",
            threshold="0.27",
            unit="m",
            origin=origin or live,
            position=number,
            valid_until_ms=_ms(self.now + VALID),
            evidence={},
        )
        with self.connection.transaction(), self.connection.cursor() as cursor:
            write_transitions(cursor, self.kind, "city.observation.v1", 0, [transition])
        self.advance()
        return name

    def closure(self) -> int:
        """The id of the newest closure."""
        return int(self.one("select max(id) from closure"))

    def step(self, by: Actor, step: Step, given: Given = NOTHING) -> State:
        """The next step of the newest closure."""
        return closures.take(self.connection, by, self.now, self.closure(), step, given)

    def run(self, text: LiteralString, *given: Any) -> None:
        """Executes a statement."""
        self.connection.execute(text, given)

    def one(self, text: LiteralString, *given: Any) -> Any:
        """The first column of the first row."""
        row = self.connection.execute(text, given).fetchone()
        return None if row is None else row[0]

    def rows(self, text: LiteralString, *given: Any) -> list[Any]:
        """All rows; those of one column as plain values."""
        found = self.connection.execute(text, given).fetchall()
        return [row[0] if len(row) == 1 else row for row in found]

    def steps(self) -> list[str]:
        """Of all closures, in order: "10:01 advise system"."""
        rows = self.rows("select at, step, who from closure_step order by closure, number")
        return [f"{_clock(at)} {step} {who}" for at, step, who in rows]

    def calls(self, name: str = "flood") -> list[str]:
        """Of a call-out, in order: "10:05 called county deputy"."""
        rows = self.rows(
            "select at, event, coalesce(level, line), coalesce(post, '') from callout_step"
            " where alert = %s order by number",
            name,
        )
        return [f"{_clock(at)} {event} {level} {post}".strip() for at, event, level, post in rows]

    def audit(self) -> list[tuple[str, str]]:
        """Who did what, in order."""
        return self.rows("select who, what from audit order by id")

    def close(self) -> None:
        """Gives the connection back."""
        self.connection.close()


def _ms(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp() * 1000)


def _clock(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%H:%M")
