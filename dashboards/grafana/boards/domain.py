"""The board of one domain, made of its own description alone: a new domain brings its board."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dashboards.grafana import rules
from dashboards.grafana.boards import acts, parts, words
from dashboards.grafana.model import (
    SEVERITIES,
    SEVERITY_STEPS,
    Board,
    Field,
    Kind,
    Notes,
    Panel,
    Row,
    Rows,
    Step,
    unit_of,
)
from dashboards.grafana.sql import Queries
from streams.contracts.domain import Domain, FactSpec, Property, Title

RECENT_WINDOWS = 3  # a point whose newest window is older is not shown as present
LEAST_RECENT_S = 600
DAYS = 30  # of figures of a day
_MEANING = {
    True: (
        "每个点最近的一个窗口，按规则阈值着色",
        "newest window, coloured at the rule's thresholds",
    ),
    False: (
        "每个点最近的一个窗口，按其预警着色",
        "newest window, in the colour of the point's alert",
    ),
}
LEVEL_ORDER = ("city", "county", "province")
ROADS = {"link", "flood_point"}  # attributes by which a point names its road, a road its point


def board(domain: Domain, namespace: str, given: Mapping[str, str] | None = None) -> Board:
    """Now, where, curves at the rules' thresholds, figures, alerts, and how good the data are."""
    queries = Queries("domain", namespace)
    numbers = rules.parameters_of(domain, given)
    curves = tuple(_curve(domain, prop, numbers, queries) for prop in domain.properties)
    rows = [
        Row(Title("现在", "Now"), _now(domain, queries)),
        Row(Title("在哪里", "Where"), _where(domain, numbers, queries)),
        Row(Title("曲线", "Curves"), curves),
        Row(Title("指标", "Figures"), tuple(_figures(domain, numbers, queries))),
        Row(Title("预警", "Alerts"), tuple(_alerts(domain, namespace, queries))),
        Row(Title("发布与处置", "Warned and closed"), tuple(_acts(domain, namespace))),
        Row(Title("数据质量", "Data quality"), _quality(domain, namespace, queries)),
    ]
    choices = Queries("choice", namespace)
    notes = Notes(
        Title("橙色和红色预警", "orange and red alerts"),
        choices.get("alert_notes", domain=domain.name),
        words.AMBER,
    )
    return Board(
        f"domain-{domain.name}",
        domain.title,
        Title("由领域自身的说明生成。", "Made of the domain's own description."),
        tuple(row for row in rows if row.panels),
        parts.choices(namespace),
        (notes,),
    )


def _now(domain: Domain, queries: Queries) -> tuple[Panel, ...]:
    name = domain.name
    return (
        parts.number(
            Title("当前预警", "open alerts"), queries.get("open", domain=name),
            steps=parts.FEW_WANTED, rows=Rows.MUST, width=6,
        ),
        parts.number(
            Title("最高等级", "worst colour"), queries.get("worst", domain=name),
            steps=SEVERITY_STEPS, words=SEVERITIES, rows=Rows.MUST, width=6,
        ),
        parts.number(
            Title("数据滞后", "behind"), queries.get("behind", domain=name), unit="s",
            steps=parts.late_steps(usual_s(domain)), width=6,
            no_data=Title("没有区域上报", "no area has reported"),
        ),
        parts.number(
            Title("沉默传感器", "silent sensors"), queries.get("silent", domain=name),
            steps=parts.FEW_WANTED, rows=Rows.MUST, width=6,
        ),
    )  # fmt: skip


def _where(domain: Domain, numbers: Mapping[str, str], queries: Queries) -> tuple[Panel, ...]:
    """By the property that a rule judges, else by the first one."""
    if not domain.properties:
        return ()
    judged = [p for p in domain.properties if any(rules.rules_of(domain, p))]
    prop = (judged or domain.properties)[0]
    asked = _window(prop) | {"property": prop.name}
    steps, rule = _steps(domain, prop, numbers)
    value = Field("value", prop.title, unit_of(prop.unit), steps)
    at = parts.moment("at", "时间", "time")
    return (
        Panel(
            Kind.MAP,
            Title(f"各点{prop.title.zh}", f"{prop.title.en} by point"),
            queries.get("latest", domain=domain.name, **asked),
            unit_of(prop.unit) if rule else "none",
            Title("最近没有读数", "no reading lately"),
            Title(*_MEANING[rule is not None]),
            steps if rule else SEVERITY_STEPS,
            () if rule else SEVERITIES,
            (parts.PLACE, parts.AREA, value, parts.SEVERITY, at, parts.POINT),
            value="value" if rule else "severity",
            rule=rule,
            height=12,
        ),
        parts.table(
            Title(f"{prop.title.zh}最高的点", f"Highest {prop.title.en}"),
            queries.get("highest", domain=domain.name, **asked),
            Title("最近没有读数", "no reading lately"),
            (parts.SEVERITY, parts.PLACE, parts.AREA, value, at, parts.POINT, parts.ALERT),
            rule=rule,
            height=12,
        ),
    )  # fmt: skip


def _curve(domain: Domain, prop: Property, numbers: Mapping[str, str], queries: Queries) -> Panel:
    sizes = sorted(prop.windows_s)
    steps, rule = _steps(domain, prop, numbers)
    return Panel(
        Kind.SERIES,
        prop.title,
        queries.get(
            "curve",
            domain=domain.name,
            property=prop.name,
            middle_s=sizes[min(1, len(sizes) - 1)],
            coarse_s=sizes[-1],
            **_window(prop),
        ),
        unit_of(prop.unit),
        Title("时间范围内没有读数", "no reading within the time range"),
        Title("预警最重的点，其次是数值最高的点", "points with the worst alerts, then the highest"),
        steps,
        rule=rule,
        least_s=sizes[0],
        height=9,
    )


def _figures(domain: Domain, numbers: Mapping[str, str], queries: Queries) -> Iterator[Panel]:
    """Curves of hours where there are, else of days; what has no period as a table."""
    by_name: dict[str, FactSpec] = {}
    for fact in domain.facts:
        stem = fact.indicator.removesuffix(".hour").removesuffix(".day")
        if stem not in by_name or fact.period == "hour" or by_name[stem].period == "state":
            by_name[stem] = fact
    for fact in by_name.values():
        yield (
            _state(fact, queries)
            if fact.period == "state"
            else _fact(domain, fact, numbers, queries)
        )


def _fact(domain: Domain, fact: FactSpec, numbers: Mapping[str, str], queries: Queries) -> Panel:
    rule = rules.rule_of(domain, fact)
    level = next(level for level in LEVEL_ORDER if level in fact.levels)
    return Panel(
        Kind.SERIES,
        fact.title,
        queries.get("fact_curve", indicator=fact.indicator, period=fact.period, level=level),
        unit_of(fact.unit),
        Title("时间范围内没有数值", "no value within the time range"),
        steps=rules.steps(rule, numbers) if rule else (),
        rule=rule.name if rule else None,
        least_s=3600,
        back_days=DAYS if fact.period == "day" else 0,
    )


def _state(fact: FactSpec, queries: Queries) -> Panel:
    unit = unit_of(fact.unit)
    return parts.table(
        fact.title,
        queries.get("fact_now", indicator=fact.indicator, period=fact.period),
        parts.QUIET,
        (
            parts.AREA,
            parts.text("level", "级别", "level", words.LEVELS),
            Field("value", fact.title, unit),
            Field("lower", Title("下限", "lower"), unit),
            Field("upper", Title("上限", "upper"), unit),
            parts.COMPLETE,
            parts.moment("known_from", "得知", "known from"),
            parts.CODE,
        ),
    )


def _alerts(domain: Domain, namespace: str, queries: Queries) -> Iterator[Panel]:
    named = parts.named({domain.name: domain}, namespace)
    yield acts.incidents(Queries("acts", namespace), named, domain.name)
    peak = Field("peak_severity", Title("最高等级", "worst"), "none", SEVERITY_STEPS, SEVERITIES)
    yield parts.table(
        Title("时间范围内的预警", "Alerts within the time range"),
        queries.get("alerts", domain=domain.name),
        parts.NO_ALERTS,
        (
            parts.SEVERITY, peak, parts.STATE, parts.AREA, parts.PLACE, named.rule, parts.READ,
            parts.moment("onset", "开始", "onset"), parts.moment("ended", "结束", "ended"),
            parts.STALE, parts.UNVERIFIED, parts.ALERT,
        ),
        width=24,
    )  # fmt: skip


def _acts(domain: Domain, namespace: str) -> Iterator[Panel]:
    """What agencies said about what it measures, and the roads that its points name."""
    queries = Queries("acts", namespace)
    if domain.warned:
        yield acts.warnings(queries, domain.warned)
    if any(ROADS & {*point.attributes} for point in domain.points):
        yield acts.closures(queries)


def _quality(domain: Domain, namespace: str, queries: Queries) -> tuple[Panel, ...]:
    name, property = domain.name, parts.named({domain.name: domain}, namespace).property
    went = Panel(
        Kind.BARS,
        Title("读数去向（按来源）", "Where readings went, by source"),
        queries.get("ledger", domain=name),
        "none",
        parts.QUIET,
        fields=LEDGER_FIELDS,
        stacked=True,
    )
    health = parts.table(
        Title("健康分最低的传感器", "Sensors with the lowest score"),
        queries.get("health", domain=name),
        Title("还没有一天结束", "no day has ended yet"),
        (
            parts.text("sensor", "传感器", "sensor"), parts.PLACE, parts.AREA,
            property,
            Field("score", Title("健康分", "score"), "none", parts.SHARE_STEPS), parts.COMPLETE,
            parts.count("late", "迟到", "late"),
            Field("gap_s", Title("最长中断", "longest gap"), "s"),
        ),
    )  # fmt: skip
    tickets = parts.table(
        Title("未结的维护事项", "Open maintenance matters"),
        queries.get("tickets", domain=name),
        Title("没有未结事项", "nothing is open"),
        (
            parts.text("kind", "种类", "kind", words.TICKETS),
            parts.text("subject", "对象", "subject"), parts.AREA, property,
            parts.moment("opened", "开始", "opened"), parts.AGE,
        ),
    )  # fmt: skip
    return went, health, tickets


def usual_s(domain: Domain) -> int:
    """How old the newest of a domain usually is: its slowest property's interval, and the delay."""
    intervals = [max(p.report_s, p.interval_s) for p in domain.properties]
    return max(intervals, default=0) + domain.timing.delay_s


def _window(prop: Property) -> dict[str, int]:
    size = min(prop.windows_s)
    return {"size_s": size, "recent_s": max(RECENT_WINDOWS * size, LEAST_RECENT_S)}


def _steps(
    domain: Domain, prop: Property, numbers: Mapping[str, str]
) -> tuple[tuple[Step, ...], str | None]:
    rule = next(rules.rules_of(domain, prop), None)
    return (rules.steps(rule, numbers, prop.scale), rule.name) if rule else ((), None)


LEDGER_FIELDS = (
    parts.text("source", "来源", "source"),
    parts.count("on_time", "按时", "on time"),
    parts.count("late", "迟到", "late"),
    parts.count("duplicate", "重复", "duplicate"),
    parts.count("quarantined", "隔离", "quarantined"),
    parts.count("rejected", "拒收", "rejected"),
)
