"""Fields, choices and panels that several boards have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from dashboards.grafana.model import (
    NOTHING,
    SEVERITIES,
    SEVERITY_STEPS,
    TEXT_ONLY,
    Field,
    Kind,
    Panel,
    Rows,
    Step,
    Variable,
    uid_of,
)
from dashboards.grafana.sql import Queries
from streams.contracts.domain import Domain, Title
from streams.contracts.reason import Change

MOMENT = "dateTimeAsIso"
QUIET = Title("没有数据", "no data")
NO_ALERTS = Title("没有预警", "no alerts")
GREEN, AMBER, RED = "#4cc38a", "#f5872b", "#e5373e"
ALERT_LINK = "${api}/v1/alerts/${__data.fields.id}"
POINT_LINK = "${api}/v1/points/${__data.fields.point}"
INCIDENT_LINK = "${api}/v1/incidents/${__data.fields.id}"
WARNING_LINK = "${api}/v1/warnings/${__data.fields.id}"
CLOSURE_LINK = "${api}/v1/closures/${__data.fields.id}"
CALLOUT_LINK = "${api}/v1/callouts/${__data.fields.id}"
BOARD_LINK = "/d/{}${{__value.raw}}?${{__url_time_range}}&${{__all_variables}}"
YES_NO = (("true", "是 yes", AMBER), ("false", "否 no", ""))
LATE = (("true", "是 yes", RED), ("false", "否 no", ""))
STALE_AFTER_S, LOST_AFTER_S = 300.0, 900.0  # house: a reader should look, should act


def late_steps(usual_s: float = 0.0) -> tuple[Step, ...]:
    """Colours of an age, of what is usually as old as this."""
    return (
        Step(None, GREEN),
        Step(usual_s + STALE_AFTER_S, AMBER),
        Step(usual_s + LOST_AFTER_S, RED),
    )


AGE_STEPS = late_steps()
NONE_WANTED = (Step(None, GREEN), Step(1.0, RED))
FEW_WANTED = (Step(None, GREEN), Step(1.0, AMBER))
SHARE_STEPS = (Step(None, RED), Step(80.0, AMBER), Step(95.0, GREEN))

AREA = Field("area", Title("区域", "area"))
PLACE = Field("place", Title("地点", "place"))
STATES = (
    ("pending", "待确认 pending", ""),
    ("firing", "生效 firing", ""),
    ("resolved", "解除 resolved", ""),
)
CHANGES = tuple(
    (change.value, f"{zh} {change.value}", "")
    for change, zh in {
        Change.ONSET: "出现", Change.CONFIRMED: "确认", Change.RAISED: "升级",
        Change.LOWERED: "降级", Change.STALE: "中断", Change.FRESH: "恢复上报",
        Change.CLEARED: "解除", Change.NOT_CONFIRMED: "未确认", Change.WITHDRAWN: "撤回",
        Change.RETIRED: "停用",
    }.items()
)  # fmt: skip
STATE = Field("state", Title("状态", "state"), words=STATES)
CHANGE = Field("change", Title("变化", "change"), words=CHANGES)
READ = Field("value", Title("数值", "value"))
THRESHOLD = Field("threshold", Title("阈值", "threshold"))
AGE = Field("age", Title("持续时间", "age"), "s")
STALE = Field("stale", Title("数据中断", "stale"), words=YES_NO)
UNVERIFIED = Field("unverified", Title("待核实", "unverified"), words=YES_NO)
ALERT = Field("id", Title("证据", "evidence"), link=ALERT_LINK)
POINT = Field("point", Title("点位", "point"), link=POINT_LINK)
SEVERITY = Field("severity", Title("等级", "severity"), "none", SEVERITY_STEPS, SEVERITIES)
COMPLETE = Field("complete", Title("完整率", "complete"), "percent", SHARE_STEPS)
CODE = Field("code", Title("区划代码", "code"), link="${api}/v1/areas/${__data.fields.code}")


@dataclass(frozen=True, slots=True)
class Named:
    """Columns of domains and rules, by their titles."""

    domain: Field
    rule: Field


def named(domains: Mapping[str, Domain], namespace: str) -> Named:
    """What these domains call themselves and their rules; a domain leads to its own board."""
    every = [domains[name] for name in sorted(domains)]
    board = uid_of(namespace, "domain-")
    titles = tuple((domain.name, domain.title.zh, "") for domain in every)
    rules = tuple((rule.name, rule.title.zh, "") for domain in every for rule in domain.rules)
    return Named(
        Field("domain", Title("领域", "domain"), words=titles, link=BOARD_LINK.format(board)),
        Field("rule", Title("规则", "rule"), words=rules),
    )


def domain_names(domains: Mapping[str, Domain]) -> str:
    """Titles of domains by name, as JSON for a query."""
    return _json({name: domains[name].title.zh for name in domains})


def property_names(domains: Mapping[str, Domain]) -> str:
    """Titles of properties by name, as JSON for a query."""
    return _json({p.name: p.title.zh for domain in domains.values() for p in domain.properties})


def moment(column: str, zh: str, en: str) -> Field:
    """A column of times."""
    return Field(column, Title(zh, en), MOMENT)


def count(column: str, zh: str, en: str, steps: tuple[Step, ...] = ()) -> Field:
    """A column of whole numbers."""
    return Field(column, Title(zh, en), "none", steps)


def words(column: str, zh: str, en: str) -> Field:
    """A column of text."""
    return Field(column, Title(zh, en), TEXT_ONLY)


def choices(namespace: str, *, counties: bool = True) -> tuple[Variable, ...]:
    """Province → city → county, each limited by the one before."""
    queries = Queries("choice", namespace)
    province = Variable("province", Title("省", "Province"), queries.get("province"))
    city = Variable("city", Title("市", "City"), queries.get("city"))
    county = Variable("county", Title("县（市、区）", "County"), queries.get("county"))
    return (province, city, county) if counties else (province, city)


def number(
    title: Title,
    sql: str,
    *,
    unit: str = "none",
    steps: tuple[Step, ...] = (),
    no_data: Title = QUIET,
    rows: Rows = Rows.MAY,
    width: int = 4,
    explains: Title = NOTHING,
    words: tuple[tuple[str, str, str], ...] = (),
    decimals: int | None = None,
) -> Panel:
    """One number in a small box."""
    return Panel(
        Kind.STAT, title, sql, unit, no_data, explains, steps, words,
        rows=rows, width=width, height=4, decimals=decimals,
    )  # fmt: skip


def table(
    title: Title,
    sql: str,
    no_data: Title,
    fields: tuple[Field, ...],
    *,
    explains: Title = NOTHING,
    rows: Rows = Rows.MAY,
    rule: str | None = None,
    width: int = 12,
    height: int = 8,
) -> Panel:
    """Rows with these columns, each with its own title and unit."""
    return Panel(
        Kind.TABLE, title, sql, TEXT_ONLY, no_data, explains, fields=fields, rule=rule, rows=rows,
        width=width, height=height,
    )  # fmt: skip


def _json(names: Mapping[str, str]) -> str:
    return json.dumps(names, ensure_ascii=False, sort_keys=True)
