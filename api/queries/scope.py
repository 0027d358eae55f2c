"""Cuts every statement down to the areas that its caller may see, in one place. Pure.

A statement of a caller with limited areas is led by common table expressions that stand before the
tables of the same name: `from alert` then reads only the alerts of these areas, in subqueries and
composed queries, too. A statement that reads a table of which nothing is said here is not run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

REACH = "_reach"  # parameter: what the codes of the areas begin with

# The map and its legend are the same for everybody who may read, and so is what agencies warned of.
SHARED = frozenset(
    {
        "area",
        "area_clock",
        "area_risk",
        "area_shape",
        "config_active",
        "config_version",
        "delivery_position",
        "log_partition",
        "official_warning",
        "official_warning_state",
        "property",
        "region_log",
    }
)
# The state of the platform as a whole, and how many points there are; no row of any area.
WHOLE = frozenset(
    {
        "namespace_table",
        "namespace_names",
        "covers_all",
        "clock",
        "intake",
        "partitions",
        "workers",
        "areas",
        "event_bounds",
    }
)

_AREA = "{t}.area ^@ any(%(_reach)s::text[])"
_OWN_POINT = "select p.id from {ns}.point p where p.area ^@ any(%(_reach)s::text[])"
_OWN_SENSOR = (
    "select s.sensor from {ns}.point_sensor s join {ns}.point p on p.id = s.point"
    " where p.area ^@ any(%(_reach)s::text[])"
)
# Figures of cities and the province are everybody's; those of a county are its own.
_FIGURE = (
    "exists (select from {ns}.area a where a.code = {t}.{column}"
    " and (a.level in ('province', 'city') or a.code ^@ any(%(_reach)s::text[])))"
)
# A subscription is of all the areas that it may tell of; one by polygon or border is of everything.
_OWN_SUBSCRIPTION = (
    "{s}.filter ->> 'polygon' is null and {s}.filter ->> 'near' is null"
    " and {s}.filter -> 'areas' <> '[]' and not exists ("
    "select from jsonb_array_elements_text({s}.filter -> 'areas') as told (code)"
    " where not told.code ^@ any(%(_reach)s::text[]))"
)
CONDITIONS: Mapping[str, str] = {
    "acting_answer": _AREA,
    "alert": _AREA,
    "alert_action": _AREA,
    "alert_close": _AREA,
    "alert_late": _AREA,
    "alert_transition": "exists (select from {ns}.alert a where a.id = {t}.alert"
    " and a.area ^@ any(%(_reach)s::text[]))",
    "alert_with_actions": _AREA,
    "area_latest": _AREA,
    "callout": _AREA,
    "callout_step": _AREA,
    "closure": _AREA,
    "closure_step": _AREA,
    "delivery": "exists (select from {ns}.subscription s where s.id = {t}.subscription and "
    + _OWN_SUBSCRIPTION.replace("{s}", "s") + ")",
    "episode": _AREA,
    "external_id": "{t}.point in (" + _OWN_POINT + ")",
    "fact": _FIGURE.replace("{column}", "area"),
    "incident": _AREA,
    "incident_alert": _AREA,
    "incident_step": _AREA,
    "late_mark": _AREA,
    "ledger": _AREA,
    "message_step": _AREA,
    "numbered_alert": _AREA,
    "observation": "{t}.sensor in (" + _OWN_SENSOR + ")",
    "observation_window": "{t}.sensor in (" + _OWN_SENSOR + ")",
    "outbox": _AREA,
    "point": _AREA,
    "point_result": "({t}.point in (" + _OWN_POINT + ") or "
    + _FIGURE.replace("{column}", "point") + ")",
    "point_sensor": "{t}.point in (" + _OWN_POINT + ")",
    "sensor": "{t}.id in (" + _OWN_SENSOR + ")",
    "public_message": _AREA,
    "sensor_health": "{t}.sensor in (" + _OWN_SENSOR + ")",
    "subscription": _OWN_SUBSCRIPTION.replace("{s}", "{t}"),
    "ticket": _AREA,
}  # fmt: skip

_COMMENT = re.compile(r"--[^\n]*")
_TEXT = re.compile(r"'(?:[^']|'')*'")
_SOURCE = re.compile(r"\b(?:from|join)\s+([a-z_]+)\b(?!\s*[(.])")
_ALIASED = re.compile(r"\b([a-z_]+)\s+as\s+(?:not\s+)?(?:materialized\s*)?\(")
_WORD = re.compile(r"[a-z_]+")
_NO_SOURCES = frozenset({"lateral", "null", "true", "false"})
_WITH = re.compile(r"\s*with\s+(recursive\s+)?")


@lru_cache(maxsize=1024)
def scoped(text: bytes, namespace: str) -> bytes:
    """The statement, cut down to the areas of the parameter `_reach`.

    `LookupError` when it reads a table of which is not known who may see its rows.
    """
    plain = _COMMENT.sub("", text.decode())
    names = tables(plain)
    unknown = names - SHARED - CONDITIONS.keys()
    if unknown:
        raise LookupError(f"who may see rows of {', '.join(sorted(unknown))} is not declared")
    words = set(_WORD.findall(plain))  # more than the tables: what is not read costs nothing
    cut = [_expression(name, namespace) for name in sorted(words & CONDITIONS.keys())]
    if not cut:
        return text
    given = _WITH.match(plain)
    if given is None:
        return f"with {', '.join(cut)} {plain}".encode()
    return f"with {given[1] or ''}{', '.join(cut)}, {plain[given.end() :]}".encode()


def tables(plain: str) -> set[str]:
    """The tables that a statement without comments reads."""
    bare = _TEXT.sub("''", plain)
    return set(_SOURCE.findall(bare)) - set(_ALIASED.findall(bare)) - _NO_SOURCES


def _expression(table: str, namespace: str) -> str:
    condition = CONDITIONS[table].replace("{ns}", f'"{namespace}"').replace("{t}", table)
    rows = " ".join(("select * from", f'"{namespace}".{table}', "where", condition))
    return f"{table} as not materialized ({rows})"
