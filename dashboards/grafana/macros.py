"""What Grafana's PostgreSQL data source makes of a query before the server sees it. Pure.

Written from the documented macros and their source (grafana 11.6, `pkg/tsdb/
grafana-postgresql-datasource/macros.go`, `pkg/tsdb/sqleng`): same pattern, same text. The data
source's switch "TimescaleDB" stays off; with it `$__timeGroup` would be a `time_bucket`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
_CHOICE = re.compile(r"\$(\w+)|\$\{(\w+)(?::\w+)?\}|\[\[(\w+)\]\]")
_INTERVAL = re.compile(r"(\d+)(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
# Grafana rounds what the pixels ask for to these.
ROUND_S = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600,
           43200, 86400, 604800)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimeRange:
    """What the reader looks at."""

    since: datetime
    until: datetime

    def interval_s(self, points: int = 1000, least_s: int = 1) -> int:
        """`$__interval`: the range over so many points, rounded, never finer than the panel's."""
        wanted = (self.until - self.since).total_seconds() / points
        found = max(least for least in (ROUND_S[0], *ROUND_S) if least <= max(wanted, 1))
        return max(found, least_s)


def interpolate(
    sql: str,
    seen: TimeRange,
    interval_s: int,
    choices: Mapping[str, str | Sequence[str]],
) -> str:
    """The statement that goes to the server. `ValueError`: a macro or a choice that is not known.

    `choices`: text for a choice of one, a list for one of many.
    """
    text = sql.replace("$__interval_ms", str(interval_s * 1000))
    text = text.replace("$__interval", _short(interval_s))
    text = _CHOICE.sub(lambda found: _chosen(found, choices), text)
    return _MACRO.sub(lambda found: _macro(found, seen), text)


def _chosen(found: re.Match[str], choices: Mapping[str, str | Sequence[str]]) -> str:
    name = found[1] or found[2] or found[3]
    if name.startswith("__"):
        return found[0]
    if name not in choices:
        raise ValueError(f"no choice ${name}")
    value = choices[name]
    if isinstance(value, str):
        return value.replace("'", "''")
    return ",".join("'" + each.replace("'", "''") + "'" for each in value) or "''"


def _macro(found: re.Match[str], seen: TimeRange) -> str:
    given = [argument.strip(" ") for argument in found[2].split(",")]
    since, until = _iso(seen.since), _iso(seen.until)
    match found[1], given:
        case "__time", [column]:
            return f'{column} AS "time"'
        case "__timeEpoch", [column]:
            return f'extract(epoch from {column}) as "time"'
        case "__timeFilter", [column]:
            return f"{column} BETWEEN '{since}' AND '{until}'"
        case "__timeFrom", _:
            return f"'{since}'"
        case "__timeTo", _:
            return f"'{until}'"
        case "__timeGroup", [column, interval]:
            return _group(column, interval)
        case "__timeGroupAlias", [column, interval]:
            return f'{_group(column, interval)} AS "time"'
    raise ValueError(f"unknown macro {found[0]}")


def _group(column: str, interval: str) -> str:
    size = seconds(interval.strip("'"))
    return f"floor(extract(epoch from {column})/{size:g})*{size:g}"


def seconds(interval: str) -> float:
    """`5m` as seconds."""
    found = _INTERVAL.fullmatch(interval)
    if found is None:
        raise ValueError(f"{interval!r} is no interval")
    return int(found[1]) * _SECONDS[found[2]]


def _short(interval_s: int) -> str:
    unit = next(u for u in ("w", "d", "h", "m", "s") if interval_s % int(_SECONDS[u]) == 0)
    return f"{interval_s // int(_SECONDS[unit])}{unit}"


def _iso(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat()
    return text.replace("+00:00", "Z")
