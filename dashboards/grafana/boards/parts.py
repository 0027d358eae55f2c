"""Fields, choices and panels that several boards have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from dashboards.grafana.boards import words
from dashboards.grafana.boards.words import AMBER, GREEN, RED, Words
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

MOMENT = "dateTimeAsIso"
QUIET = Title("没有数据", "no data")
NO_ALERTS = Title("没有预警", "no alerts")
ALERT_LINK = "${api}/v1/alerts/${__data.fields.id}"
POINT_LINK = "${api}/v1/points/${__data.fields.point}"
INCIDENT_LINK = "${api}/v1/incidents/${__data.fields.id}"
WARNING_LINK = "${api}/v1/warnings/${__data.fields.id}"
CLOSURE_LINK = "${api}/v1/closures/${__data.fields.id}"
CALLOUT_LINK = "${api}/v1/callouts/${__data.fields.id}"
BOARD_LINK = "/d/{}${{__value.raw}}?${{__url_time_range}}&${{__all_variables}}"
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
STATE = Field("state", Title("状态", "state"), words=words.STATES)
CHANGE = Field("change", Title("变化", "change"), words=words.CHANGES)
READ = Field("value", Title("数值", "value"))
THRESHOLD = Field("threshold", Title("阈值", "threshold"))
AGE = Field("age", Title("持续时间", "age"), "s")
STALE = Field("stale", Title("数据中断", "stale"), words=words.YES_NO)
UNVERIFIED = Field("unverified", Title("待核实", "unverified"), words=words.YES_NO)
ALERT = Field("id", Title("证据", "evidence"), link=ALERT_LINK)
POINT = Field("point", Title("点位", "point"), link=POINT_LINK)
SEVERITY = Field("severity", Title("等级", "severity"), "none", SEVERITY_STEPS, SEVERITIES)
COMPLETE = Field("complete", Title("完整率", "complete"), "percent", SHARE_STEPS)
CODE = Field("code", Title("区划代码", "code"), link="${api}/v1/areas/${__data.fields.code}")


@dataclass(frozen=True, slots=True)
class Named:
    """Columns of domains, rules and properties, by their titles."""

    domain: Field
    rule: Field
    property: Field


def named(domains: Mapping[str, Domain], namespace: str) -> Named:
    """What these domains call themselves, their rules and properties; a domain leads to its own
    board."""
    every = [domains[name] for name in sorted(domains)]
    board = uid_of(namespace, "domain-")
    titles = (*((domain.name, domain.title.zh, "") for domain in every), words.REGION)
    properties = tuple((p.name, p.title.zh, "") for domain in every for p in domain.properties)
    own = ((rule.name, rule.title.zh, "") for domain in every for rule in domain.rules)
    rules = (*own, words.GATEWAY_SILENT)
    return Named(
        Field("domain", Title("领域", "domain"), words=titles, link=BOARD_LINK.format(board)),
        Field("rule", Title("规则", "rule"), words=rules),
        Field("property", Title("属性", "property"), words=properties),
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


def text(column: str, zh: str, en: str, known: Words = ()) -> Field:
    """A column of text; what it is called, where its values are known."""
    return Field(column, Title(zh, en), TEXT_ONLY, words=known)


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
    words: Words = (),
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
