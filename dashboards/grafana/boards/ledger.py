"""Data quality and ledger: where every reading went, and which clocks and sensors are wrong."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.grafana.boards import parts, words
from dashboards.grafana.boards.domain import LEDGER_FIELDS
from dashboards.grafana.boards.parts import Named
from dashboards.grafana.model import Board, Field, Kind, Panel, Row, Rows
from dashboards.grafana.sql import Queries
from streams.contracts.domain import Domain, Title


def board(domains: Mapping[str, Domain], namespace: str) -> Board:
    """Everything that was received is in exactly one column."""
    queries, names = Queries("ledger", namespace), parts.named(domains, namespace)
    domain = names.domain
    went = (_shares(queries, domain), _lost(queries), _sources(queries, domain))
    apart = (_quarantine(queries, domain), _dead(queries, domain))
    good = (_bad(queries, domains), _tickets(queries), _health(queries, names.property))
    late = (_revisions(queries, domains), _late(queries, names))
    return Board(
        "ledger",
        Title("数据质量与台账", "Data quality and ledger"),
        Title("每条读数的去向", "Where every reading went"),
        (
            Row(Title("去向", "Where readings went"), went),
            Row(Title("隔离与死信", "Set apart"), apart),
            Row(Title("迟到与修订", "Late and revised"), late),
            Row(Title("质量", "Quality"), good),
        ),
        parts.choices(namespace),
        since="now-24h",
        refresh="1m",
    )


def _shares(queries: Queries, domain: Field) -> Panel:
    fields = (domain, *LEDGER_FIELDS[1:])
    return Panel(
        Kind.BARS,
        Title("读数去向（按领域，累计）", "Where readings went, by domain, since the start"),
        queries.get("shares"),
        "none",
        parts.QUIET,
        fields=fields,
        rows=Rows.MUST,
        width=18,
        stacked=True,
    )


def _lost(queries: Queries) -> Panel:
    return parts.number(
        Title("去向不明", "unaccounted for"),
        queries.get("lost"),
        steps=parts.NONE_WANTED,
        rows=Rows.MUST,
        width=6,
        explains=Title(
            "收到 = 入库 + 重复 + 隔离 + 拒收；不为零就是程序缺陷", "anything but 0 is a bug"
        ),
    )


def _sources(queries: Queries, domain: Field) -> Panel:
    revised = parts.count("revised", "按时中的修订", "revised, of on time")
    share = Field("late_share", Title("迟到率", "late share"), "percent")
    first = (parts.text("source", "来源", "source"), parts.AREA, domain)
    return parts.table(
        Title("按来源", "By source"),
        queries.get("sources"),
        parts.QUIET,
        (
            *first,
            parts.count("received", "收到", "received"),
            *LEDGER_FIELDS[1:],
            revised,
            share,
        ),
        rows=Rows.MUST,
        width=24,
        height=10,
    )


def _quarantine(queries: Queries, domain: Field) -> Panel:
    return parts.table(
        Title("隔离的读数（时钟）", "Quarantined: clocks"),
        queries.get("quarantine"),
        Title("没有隔离的读数", "nothing is quarantined"),
        (
            parts.text("reason", "原因", "reason", words.REASONS),
            parts.text("source", "来源", "source"),
            domain, parts.count("readings", "读数", "readings"),
            parts.moment("first", "最早", "first"), parts.moment("last", "最近", "last"),
            Field("ahead", Title("最多提前", "ahead at most"), "s"),
        ),
        explains=Title("“最多提前”说明设备时钟的偏差", "how far a device's clock is ahead at most"),
    )  # fmt: skip


def _dead(queries: Queries, domain: Field) -> Panel:
    return parts.table(
        Title("死信", "Dead letters"),
        queries.get("dead"),
        Title("没有死信", "no dead letter"),
        (
            parts.text("reason", "原因", "reason", words.REASONS),
            parts.text("source", "来源", "source"),
            domain, parts.count("letters", "条数", "letters"),
            parts.count("waiting", "待处理", "waiting", parts.FEW_WANTED),
            parts.moment("last", "最近", "last"),
        ),
    )  # fmt: skip


def _bad(queries: Queries, domains: Mapping[str, Domain]) -> Panel:
    return Panel(
        Kind.SERIES,
        Title("未通过质量检查的比例", "Share that failed a check"),
        queries.get("bad", names=parts.property_names(domains)),
        "percent",
        parts.QUIET,
        rows=Rows.MUST,
        least_s=3600,
    )


def _revisions(queries: Queries, domains: Mapping[str, Domain]) -> Panel:
    return Panel(
        Kind.SERIES,
        Title("修订的读数", "Readings revised"),
        queries.get("revisions", names=parts.domain_names(domains)),
        "none",
        Title("没有修订", "nothing was revised"),
        least_s=300,
    )


def _late(queries: Queries, names: Named) -> Panel:
    return parts.table(
        Title("迟到读数本会改变的预警", "Alerts that late readings would have changed"),
        queries.get("late"),
        Title("迟到读数不影响任何预警", "no late reading would have changed one"),
        (
            parts.moment("time", "判定", "decided"), parts.SEVERITY, parts.AREA, names.domain,
            names.rule, parts.text("subject", "对象", "subject"),
            parts.text("kind", "本会", "would have", words.WOULD),
            parts.count("readings", "读数", "readings"), parts.READ,
            parts.moment("first_time", "最早读数", "first reading"), parts.ALERT,
        ),
        explains=Title("预警的历史不改写", "an alert's history is never rewritten"),
    )  # fmt: skip


def _tickets(queries: Queries) -> Panel:
    return parts.table(
        Title("维护事项（按种类）", "Maintenance matters by kind"),
        queries.get("tickets"),
        Title("没有维护事项", "none"),
        (
            parts.text("kind", "种类", "kind", words.TICKETS),
            parts.count("open", "未结", "open", parts.FEW_WANTED),
            parts.count("all", "全部", "all"),
            parts.moment("oldest", "最早未结", "oldest open"),
        ),
    )


def _health(queries: Queries, property: Field) -> Panel:
    return parts.table(
        Title("传感器健康（最近一天）", "Sensor health, newest day"),
        queries.get("health"),
        Title("还没有一天结束", "no day has ended yet"),
        (
            property,
            parts.count("sensors", "传感器", "sensors"),
            Field("score", Title("平均健康分", "mean score"), "none", parts.SHARE_STEPS),
            parts.COMPLETE,
            parts.count("late", "迟到", "late"),
            Field("gap", Title("最长中断", "longest gap"), "s"),
        ),
    )
