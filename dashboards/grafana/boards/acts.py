"""Panels of what alerts led to: incidents, official warnings, roads closed, people called out.

Who acted is not shown; the API tells it to those who may know."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.grafana.boards import parts, words
from dashboards.grafana.boards.parts import Named
from dashboards.grafana.model import COLUMNS, Field, Panel, Rows
from dashboards.grafana.sql import Queries
from streams.contracts.domain import Title

EXERCISE = parts.text("exercise", "演练", "exercise", words.PLAIN)
OVERDUE = parts.text("overdue", "逾期", "overdue", words.BAD)
STATUS = parts.text("status", "性质", "status", words.STATUSES)


def numbers(queries: Queries) -> tuple[Panel, ...]:
    """How many of each there are now."""
    return (
        parts.number(
            Title("进行中的事件", "incidents"), queries.get("running"),
            steps=parts.FEW_WANTED, rows=Rows.MUST, width=6,
        ),
        parts.number(
            Title("生效的官方预警", "official warnings"), queries.get("warned"),
            steps=parts.FEW_WANTED, rows=Rows.MUST, width=6,
        ),
        parts.number(
            Title("封闭的道路", "roads closed"), queries.get("closed"),
            steps=parts.FEW_WANTED, rows=Rows.MUST, width=6,
            explains=Title("已下令或已封闭", "ordered or confirmed"),
        ),
        parts.number(
            Title("叫应逾期", "call-outs overdue"), queries.get("overdue"),
            steps=parts.NONE_WANTED, rows=Rows.MUST, width=6,
        ),
    )  # fmt: skip


def incidents(
    queries: Queries,
    named: Named,
    domain: str = "",
    *,
    rows: Rows = Rows.MAY,
    width: int = COLUMNS,
    height: int = 8,
) -> Panel:
    """What people look at first: alerts of one domain and county, put together."""
    return parts.table(
        Title("事件", "Incidents"),
        queries.get("incidents", domain=domain),
        Title("没有进行中的事件", "no incident goes on"),
        (
            parts.SEVERITY, parts.AREA, named.domain, parts.count("open", "生效", "open"),
            parts.count("hidden", "隐去", "hidden"), parts.count("ended", "结束", "ended"),
            Field("place", Title("最重的地点", "worst place")), parts.AGE,
            parts.moment("changed", "最近变化", "changed"), STATUS,
            Field("id", Title("证据", "evidence"), link=parts.INCIDENT_LINK),
        ),
        explains=Title("同县同领域的预警归并；绿色为平静", "grouped alerts; green is quiet"),
        rows=rows,
        width=width,
        height=height,
    )  # fmt: skip


def warnings(queries: Queries, types: Sequence[str] = ()) -> Panel:
    """What agencies have said and is in force; of these types, or of all."""
    return parts.table(
        Title("官方预警", "Official warnings"),
        queries.get("warnings", types=",".join(types)),
        Title("没有生效的官方预警", "no official warning is in force"),
        (
            parts.SEVERITY, parts.text("event", "种类", "event"), parts.AREA,
            parts.text("issuers", "发布单位", "issued by"),
            parts.text("headline", "标题", "headline"), parts.moment("sent", "发布", "sent"),
            parts.moment("expires", "有效至", "expires"), STATUS,
            Field("id", Title("原文", "original"), link=parts.WARNING_LINK),
        ),
        rows=Rows.MUST,
        width=COLUMNS,
    )  # fmt: skip


def closures(queries: Queries) -> Panel:
    """Roads that are closed or should be, and how far each has come."""
    return parts.table(
        Title("道路封闭", "Road closures"),
        queries.get("closures"),
        Title("没有封闭的道路", "no road is closed"),
        (
            parts.text("state", "状态", "state", words.CLOSURES),
            parts.text("road", "道路", "road"), parts.AREA, parts.moment("since", "自", "since"),
            parts.moment("advised_at", "建议", "advised"),
            parts.moment("ordered_at", "下令", "ordered"),
            parts.moment("confirmed_at", "现场确认", "confirmed"),
            parts.moment("reopened_at", "恢复", "reopened"),
            parts.text("hazard", "险情", "hazard", words.HAZARDS), OVERDUE, EXERCISE,
            Field("id", Title("经过", "steps"), link=parts.CLOSURE_LINK),
        ),
        explains=Title("谁下的令在接口中查，限有权者", "who ordered it: in the API, if you may"),
        rows=Rows.MUST,
        width=COLUMNS,
    )  # fmt: skip


def callouts(queries: Queries) -> Panel:
    """Whether those who must know have answered and act."""
    return parts.table(
        Title("叫应", "Call-outs"),
        queries.get("callouts"),
        Title("没有进行中的叫应", "nobody is being called out"),
        (
            parts.SEVERITY, parts.AREA, parts.PLACE, parts.moment("started", "开始", "started"),
            parts.count("called", "应答层级", "called"),
            parts.count("answered", "已应答", "answered"),
            parts.count("acting", "已行动", "acting"),
            parts.count("unreached", "未叫通", "unreached", parts.NONE_WANTED), OVERDUE, EXERCISE,
            Field("id", Title("经过", "steps"), link=parts.CALLOUT_LINK),
        ),
        rows=Rows.MUST,
        width=COLUMNS,
    )  # fmt: skip
