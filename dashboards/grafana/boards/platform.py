"""The platform itself: how far it has come, how fast it decides, whether messages leave."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.grafana.boards import parts, words
from dashboards.grafana.model import Board, Field, Kind, Panel, Row, Rows
from dashboards.grafana.sql import Queries
from streams.contracts.domain import Domain, Title
from streams.log import OBSERVATION_TOPIC

SILENT_S = 60  # a worker beats every few seconds


def board(domains: Mapping[str, Domain], namespace: str) -> Board:
    """Of the whole platform: areas are not chosen here."""
    queries = Queries("platform", namespace)
    flow = (
        _rates(queries, domains),
        _numbered(queries),
        _latency(queries),
        _waited(queries),
        _partitions(queries),
    )
    rows = (
        Row(Title("现在", "Now"), _now(queries)),
        Row(Title("流", "The stream"), flow),
        Row(Title("谁在运行", "Who runs"), (_workers(queries), _gateways(queries))),
        Row(Title("投递", "Deliveries"), (_deliveries(queries), _store(queries))),
    )
    return Board(
        "platform",
        Title("平台运行", "Platform"),
        Title("完整至何时、多快、有没有送出去", "Complete up to when, how fast, and delivered"),
        rows,
    )


def _now(queries: Queries) -> tuple[Panel, ...]:
    return (
        parts.number(
            Title("待处理记录", "records behind"),
            queries.get("behind", topic=OBSERVATION_TOPIC), rows=Rows.MUST, width=5,
        ),
        parts.number(
            Title("完整至（滞后）", "complete up to: behind"),
            queries.get("complete", topic=OBSERVATION_TOPIC), unit="s", steps=parts.AGE_STEPS,
            no_data=Title("全部处理完毕", "all is done"), width=5,
        ),
        parts.number(
            Title("运行中的工作进程", "workers that live"),
            queries.get("workers", silent_s=SILENT_S), rows=Rows.MUST, width=5,
        ),
        parts.number(
            Title("等待投递", "messages waiting"), queries.get("waiting"), rows=Rows.MUST, width=5,
        ),
        parts.number(
            Title("投递失败", "deliveries dead"), queries.get("dead"),
            steps=parts.NONE_WANTED, rows=Rows.MUST,
        ),
    )  # fmt: skip


def _rates(queries: Queries, domains: Mapping[str, Domain]) -> Panel:
    return Panel(
        Kind.SERIES,
        Title("每秒读数", "Readings a second"),
        queries.get("rates", names=parts.domain_names(domains)),
        "suffix: /s",
        parts.QUIET,
        Title("一天以内按小时窗口，更长按传感器每日健康", "by hours; over a day by days"),
        rows=Rows.MUST,
        least_s=3600,
        stacked=True,
    )


def _latency(queries: Queries) -> Panel:
    return Panel(
        Kind.SERIES,
        Title("从事件到决定", "From the event to the decision"),
        queries.get("latency"),
        "s",
        parts.NO_ALERTS,
        Title("预警开始、确认、升级时", "of onsets, confirmations and raises"),
        rows=Rows.MUST,
        least_s=300,
    )


def _waited(queries: Queries) -> Panel:
    return Panel(
        Kind.SERIES,
        Title("从到达到提交", "From the arrival to the commit"),
        queries.get("waited"),
        "s",
        Title("仅实时命名空间有此数值", "of a live namespace only"),
        Title("预警消息：到达、判定、提交、编号", "of alerts' messages, up to their number"),
        least_s=300,
    )


def _numbered(queries: Queries) -> Panel:
    return Panel(
        Kind.SERIES,
        Title("每分钟发出的消息", "Messages a minute"),
        queries.get("numbered"),
        "suffix: /min",
        Title("没有消息发出", "no message left"),
        least_s=60,
    )


def _partitions(queries: Queries) -> Panel:
    return parts.table(
        Title("分区与检查点", "Partitions and checkpoints"),
        queries.get("partitions", topic=OBSERVATION_TOPIC),
        parts.QUIET,
        (
            parts.count("partition", "分区", "partition"),
            parts.count("next_offset", "已提交至", "committed up to"),
            parts.count("log_end", "日志末尾", "end of the log"),
            parts.count("behind", "滞后", "behind"),
            parts.count("checkpoint_offset", "检查点", "checkpoint"),
            parts.count("since_checkpoint", "检查点之后", "since the checkpoint"),
            parts.moment("complete_up_to", "完整至", "complete up to"),
        ),
        rows=Rows.MUST,
        width=24,
    )


def _workers(queries: Queries) -> Panel:
    return parts.table(
        Title("工作进程", "Workers"),
        queries.get("worker_list"),
        Title("没有工作进程", "no worker"),
        (
            parts.text("name", "名称", "name"),
            parts.moment("started", "启动", "started"),
            parts.moment("beat", "最近心跳", "last beat"),
            parts.count("partitions", "分区数", "partitions"),
            parts.count("behind", "滞后", "behind"),
            Field("leads", Title("主", "leads"), words=words.PLAIN),
            Field("silent", Title("沉默", "silent"), "s", parts.AGE_STEPS),
        ),
    )


def _gateways(queries: Queries) -> Panel:
    return parts.table(
        Title("网关", "Gateways"),
        queries.get("gateways"),
        Title("没有登记的网关", "no gateway is registered"),
        (
            parts.text("gateway", "网关", "gateway"), parts.AREA,
            parts.text("state", "状态", "state", words.GATEWAYS),
            parts.moment("seen_at", "最近", "seen"),
            parts.count("queue", "积压", "waits in it"),
        ),
        rows=Rows.MUST,
    )  # fmt: skip


def _deliveries(queries: Queries) -> Panel:
    return parts.table(
        Title("订阅与投递", "Subscriptions and deliveries"),
        queries.get("deliveries"),
        Title("没有投递", "nothing was delivered"),
        (
            parts.text("name", "订阅", "subscription"),
            parts.text("channel", "渠道", "channel"),
            parts.count("waiting", "等待", "waiting", parts.FEW_WANTED),
            parts.count("sent", "已送达", "sent"),
            parts.count("dead", "失败", "dead", parts.NONE_WANTED),
            parts.count("attempts", "最多尝试", "attempts at most"),
            Field("took", Title("95%用时", "95 of 100 within"), "s"),
            parts.moment("last", "最近", "last"),
        ),
    )


def _store(queries: Queries) -> Panel:
    names = (
        ("namespace", "命名空间"), ("namespace_kind", "种类"), ("log", "日志"), ("store", "库"),
        ("version", "版本"), ("newest_migration", "最新迁移"),
    )  # fmt: skip
    return parts.table(
        Title("库", "Store"),
        queries.get("store"),
        parts.QUIET,
        tuple(parts.text(column, zh, column.replace("_", " ")) for column, zh in names),
        rows=Rows.MUST,
    )
