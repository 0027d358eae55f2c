"""The board that operators keep open all night: the city by colour, and how far to believe it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from dashboards.grafana.boards import acts, parts, words
from dashboards.grafana.boards.domain import usual_s
from dashboards.grafana.boards.parts import Named, named
from dashboards.grafana.model import (
    COLOURS,
    SEVERITIES,
    SEVERITY_STEPS,
    Board,
    Field,
    Kind,
    Panel,
    Row,
    Rows,
    Step,
)
from dashboards.grafana.sql import Queries
from streams.contracts.domain import Domain, Title
from streams.contracts.reason import Severity

_WORDS = {
    Severity.RED: Title("红色预警", "red alerts"),
    Severity.ORANGE: Title("橙色预警", "orange alerts"),
    Severity.YELLOW: Title("黄色预警", "yellow alerts"),
    Severity.BLUE: Title("蓝色预警", "blue alerts"),
}


def board(domains: Mapping[str, Domain], namespace: str) -> Board:
    """The situation of the chosen areas at the end of the chosen time."""
    queries, names = Queries("situation", namespace), named(domains, namespace)
    acted = Queries("acts", namespace)
    usual = json.dumps({name: usual_s(domains[name]) for name in sorted(domains)})
    return Board(
        "situation",
        Title("城市态势", "Situation"),
        Title(
            "按时间范围的终点显示；每个数字旁都能看到数据新旧与完整程度。",
            "As of the end of the time range; freshness and completeness stand beside it.",
        ),
        (
            Row(Title("现在", "Now"), (*_now(queries, usual), *acts.numbers(acted))),
            Row(Title("在哪里", "Where"), _where(queries, acted, names)),
            Row(Title("发布与处置", "Warned and done"), _done(acted)),
            Row(Title("变化", "Changes"), (_over_time(queries), _changed(queries, names))),
            Row(Title("可信程度", "Trust"), (_freshness(queries, usual, names), _silence(queries))),
        ),
        parts.choices(namespace),
        refresh="10s",
    )


def _now(queries: Queries, usual: str) -> tuple[Panel, ...]:
    colours = [
        parts.number(
            title,
            queries.get("open_of", severity=int(severity)),
            steps=(Step(None, COLOURS[Severity.NONE]), Step(1.0, COLOURS[severity])),
            rows=Rows.MUST,
            width=3,
        )
        for severity, title in _WORDS.items()
    ]
    unknown = parts.number(
        Title("未知县（市、区）", "counties unknown"),
        queries.get("unknown"),
        steps=parts.FEW_WANTED,
        rows=Rows.MUST,
        width=4,
        explains=Title("传感器沉默，颜色无从判断", "their sensors are silent"),
    )
    behind = parts.number(
        Title("数据逾期", "overdue"),
        queries.get("overdue", usual=usual),
        unit="s",
        steps=parts.AGE_STEPS,
        no_data=Title("没有区域上报", "no area has reported"),
        rows=Rows.MUST,
        explains=Title("最慢的县超出其通常上报间隔的时间", "of the slowest county"),
    )
    complete = parts.number(
        Title("传感器在线率", "sensors reporting"),
        queries.get("complete"),
        unit="percent",
        steps=parts.SHARE_STEPS,
        no_data=Title("没有登记的传感器", "no sensor is registered"),
        rows=Rows.MUST,
        decimals=1,
    )
    return (*colours, unknown, behind, complete)


def _where(queries: Queries, acted: Queries, names: Named) -> tuple[Panel, ...]:
    """Incidents lead; their alerts stand below."""
    led = acts.incidents(acted, names, rows=Rows.MUST, width=12, height=14)
    return _map(queries), led, _open(queries, names)


def _done(acted: Queries) -> tuple[Panel, ...]:
    return acts.warnings(acted), acts.closures(acted), acts.callouts(acted)


def _map(queries: Queries) -> Panel:
    return Panel(
        Kind.MAP,
        Title("各县（市、区）风险颜色", "Risk by county"),
        queries.get("map"),
        "none",
        Title("没有已判定的县", "no county was judged"),
        Title("灰色为未知：传感器沉默时不显示旧颜色", "grey is unknown, never the old colour"),
        SEVERITY_STEPS,
        SEVERITIES,
        (parts.AREA, parts.SEVERITY, parts.CODE, parts.moment("as_of", "截至", "as of")),
        value="severity",
        rows=Rows.MUST,
        height=14,
    )


def _open(queries: Queries, names: Named) -> Panel:
    fields = (
        parts.SEVERITY, parts.AREA, names.domain, names.rule, parts.PLACE, parts.READ,
        parts.THRESHOLD, parts.AGE, parts.STALE, parts.UNVERIFIED,
        parts.moment("acknowledged_at", "已确认", "acknowledged"),
        parts.text("closure_state", "封路", "road closure", words.CLOSURES), parts.ALERT,
    )  # fmt: skip
    return parts.table(
        Title("当前预警", "Open alerts"),
        queries.get("open"),
        parts.NO_ALERTS,
        fields,
        explains=Title("按等级和新旧排列；“证据”打开接口中的全部变化", "worst and newest first"),
        rows=Rows.MUST,
        width=24,
        height=12,
    )


def _over_time(queries: Queries) -> Panel:
    return Panel(
        Kind.SERIES,
        Title("未结束的预警（按最高等级）", "Alerts open, by worst colour"),
        queries.get("open_over_time"),
        "none",
        parts.NO_ALERTS,
        colours=tuple((text, colour) for _, text, colour in SEVERITIES[1:5]),
        rows=Rows.MUST,
        least_s=60,
        stacked=True,
        height=9,
    )


def _changed(queries: Queries, names: Named) -> Panel:
    fields = (
        parts.moment("time", "时间", "time"), parts.SEVERITY, parts.AREA, names.domain, names.rule,
        parts.PLACE, parts.CHANGE, parts.STATE, parts.READ, parts.ALERT,
    )  # fmt: skip
    return parts.table(
        Title("最近一小时的变化", "Changed within the last hour"),
        queries.get("changed"),
        Title("一小时内没有变化", "nothing changed within an hour"),
        fields,
        rows=Rows.MUST,
        height=9,
    )


def _freshness(queries: Queries, usual: str, names: Named) -> Panel:
    fields = (
        names.domain,
        parts.moment("complete_up_to", "完整至", "complete up to"),
        Field("age", Title("滞后", "behind"), "s"),
        Field("overdue", Title("逾期", "overdue"), "s", parts.AGE_STEPS),
        parts.count("counties", "县数", "counties"),
        parts.count("silent", "沉默传感器", "silent sensors", parts.FEW_WANTED),
    )
    return parts.table(
        Title("各领域的新旧与完整", "Freshness by domain"),
        queries.get("freshness", usual=usual),
        parts.QUIET,
        fields,
        rows=Rows.MUST,
    )


def _silence(queries: Queries) -> Panel:
    fields = (
        parts.text("what", "什么", "what", words.SILENT),
        parts.text("subject", "对象", "subject"),
        parts.AREA,
        parts.moment("since", "自", "since"),
        parts.text("answer", "处置", "answer", words.ANSWERS),
    )
    return parts.table(
        Title("沉默与处置", "Silence, and who answered"),
        queries.get("silence"),
        Title("一切都在上报", "everything reports"),
        fields,
    )
