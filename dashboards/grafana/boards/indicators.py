"""Indicators for leaders: the Plan's rows that the streams compute, against path and target."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from dashboards.grafana.boards import parts, words
from dashboards.grafana.model import Board, Field, Kind, Panel, Row, Step, unit_of
from dashboards.grafana.sql import Queries
from streams.contracts.domain import Title
from streams.indicators.definition import PlanRow
from streams.indicators.plan import COMPUTED, PLAN
from streams.indicators.progress import FIRST_YEAR, LAST_YEAR, reference_path

MARKS = "基期、线性参考值（非规划目标）和2025年目标值来自规划表1"


def board(namespace: str) -> Board:
    """Waterlogging elimination, good-air-day ratio, shelters: by city, with revisions."""
    queries = Queries("indicator", namespace)
    rows = tuple(
        Row(Title(PLAN[number].name, f"Plan, row {number}"), tuple(_panels(PLAN[number], queries)))
        for number in COMPUTED
    )
    return Board(
        "indicators",
        Title("规划指标", "Indicators"),
        Title(MARKS, "Baseline, reference path (not a target) and target: the Plan's table 1"),
        rows,
        parts.choices(namespace),
        since="now-1y",
        refresh="5m",
    )


def _panels(row: PlanRow, queries: Queries) -> Iterator[Panel]:
    asked = {"indicator": row.indicator, "period": COMPUTED[row.number]}
    unit = unit_of(row.unit)
    yield _now(row, queries, asked)
    yield Panel(
        Kind.SERIES,
        Title(f"{row.name}：历次数值", "over time"),
        queries.get("known_curve", **asked),
        unit,
        parts.QUIET,
        Title("绿线为2025年目标值", f"the line is the target of {LAST_YEAR}"),
        _target(row),
        least_s=3600,
    )
    if row.number == 13:
        yield _signed_off(queries, asked)
    if row.number == 15:
        yield _rules(queries, asked)
    yield parts.table(
        Title(f"{row.name}：修订", "revisions"),
        queries.get("revisions", indicator=row.indicator),
        Title("时间范围内没有新数值", "nothing new within the time range"),
        (
            parts.moment("time", "得知", "known from"), parts.AREA,
            parts.moment("start", "期间起", "period from"),
            parts.count("revision", "修订号", "revision"),
            Field("value", Title("数值", "value"), unit),
            parts.text("cause", "原因", "cause", words.CAUSES),
            parts.text("method", "方法", "method"), parts.CODE,
        ),
    )  # fmt: skip


def _now(row: PlanRow, queries: Queries, asked: dict[str, str]) -> Panel:
    unit = unit_of(row.unit)
    path = reference_path(row) or {}
    marks = {
        "base": _text(row.base.value),
        "path": " → ".join(str(path[year]) for year in sorted(path)) or "—",
        "target": row.target.text,
    }
    return parts.table(
        Title(f"{row.name}：各市", "by city"),
        queries.get("now", **asked, **marks),
        Title("还没有数值", "no value yet"),
        (
            parts.AREA, Field("value", Title("数值", "value"), unit),
            Field("lower", Title("下限", "lower"), unit),
            Field("upper", Title("上限", "upper"), unit),
            parts.count("have", "已有", "have"), parts.count("want", "应有", "want"),
            parts.text("base", "2020年", "base"),
            parts.text("path", f"{FIRST_YEAR}—{LAST_YEAR}线性参考值", "reference path"),
            parts.text("target", f"{LAST_YEAR}年目标值", "target"),
            parts.count("revision", "修订号", "revision"),
            parts.moment("start", "期间起", "period from"),
            parts.moment("known_from", "得知", "known from"), parts.CODE,
        ),
        explains=Title(
            MARKS, f"baseline 2020, path {FIRST_YEAR} to {LAST_YEAR}, target {LAST_YEAR}"
        ),
        width=24,
    )  # fmt: skip


def _signed_off(queries: Queries, asked: dict[str, str]) -> Panel:
    return parts.table(
        Title("销号与证据", "Sign-off beside evidence"),
        queries.get("signed_off", **asked),
        parts.QUIET,
        (
            parts.AREA, parts.count("signed_off", "已销号", "signed off"),
            parts.count("inventory", "名册", "inventory"),
            parts.count("relapses", "疑似复发", "relapses proposed", parts.FEW_WANTED),
            parts.text("points", "点位", "points"), parts.CODE,
        ),
        explains=Title(
            "复发由流提出，经登记确认后才计入", "relapses are proposed; a person confirms them"
        ),
    )  # fmt: skip


def _rules(queries: Queries, asked: dict[str, str]) -> Panel:
    percent = "percent"
    return parts.table(
        Title("优良天数：两种标准", "Good days under both rules"),
        queries.get("rules", **asked),
        Title("还没有一年的数值", "no value of a year yet"),
        (
            parts.AREA, parts.moment("start", "期间起", "period from"),
            Field("value", Title("比率", "ratio"), percent),
            Field("rule_2012", Title("按2012标准", "under 2012"), percent),
            Field("rule_2026", Title("按2026标准", "under 2026"), percent),
            parts.count("good", "优良天", "good days"),
            parts.count("valid", "有效天", "valid days"),
            parts.text("under_2012", "2012标准：优良/有效", "2012: good of valid"),
            parts.text("under_2026", "2026标准：优良/有效", "2026: good of valid"),
            parts.count("wanted", "应有天", "days passed"), parts.CODE,
        ),
    )  # fmt: skip


def _target(row: PlanRow) -> tuple[Step, ...]:
    """A line at the target, where it is one number."""
    value = row.target.value
    return () if value is None else (Step(None, words.AMBER), Step(float(value), words.GREEN))


def _text(value: Decimal | None) -> str:
    return "—" if value is None else str(value)
