"""Turns our boards into Grafana's JSON, with Grafana's own SDK (grafana-foundation-sdk).

The same boards give the same bytes: uids come from names, ids and places from the order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard as make
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as sdk

from dashboards.grafana import visuals
from dashboards.grafana.model import COLUMNS, TAG, Board, Notes, Panel, Variable, uid_of
from streams.contracts.domain import Title

DATASOURCE_TYPE = "grafana-postgresql-datasource"
ZONE = "Asia/Shanghai"
ROW_HEIGHT = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where the dashboards stand: which namespace they read, from which data source, and where the
    API answers for the readers' browsers."""

    namespace: str = "citybrain"
    datasource: str = "citybrain"  # uid
    api: str = "http://127.0.0.1:8600"


class Query(variants.Dataquery):
    """A target of Grafana's PostgreSQL data source, for which the SDK has no class."""

    def __init__(self, sql: str, shape: str, source: sdk.DataSourceRef) -> None:
        self._sql, self._shape, self._source = sql, shape, source

    def build(self) -> Query:
        """It is its own builder."""
        return self

    def to_json(self) -> dict[str, object]:
        """As Grafana's query editor saves it."""
        return {
            "refId": "A",
            "datasource": self._source,
            "editorMode": "code",
            "format": self._shape,
            "rawQuery": True,
            "rawSql": self._sql,
        }


def text_of(title: Title) -> str:
    """Chinese first."""
    return f"{title.zh} · {title.en}" if title.en else title.zh


def assemble(board: Board, place: Place) -> dict[str, Any]:
    """The dashboard's JSON model, as plain Python."""
    source = sdk.DataSourceRef(type_val=DATASOURCE_TYPE, uid=place.datasource)
    built = (
        make.Dashboard(text_of(board.title))
        .uid(uid_of(place.namespace, board.slug))
        .description(text_of(board.explains))
        .tags([TAG, place.namespace, *board.tags] if place.namespace != TAG else [TAG, *board.tags])
        .timezone(ZONE)
        .week_start("monday")
        .time(board.since, "now")
        .refresh(board.refresh)
        .readonly()
        .tooltip(sdk.DashboardCursorSync.CROSSHAIR)
        .link(_navigation(place.namespace))
        .with_variable(make.ConstantVariable("api").label("API").value(place.api))
    )
    for variable in board.variables:
        built.with_variable(_variable(variable, source))
    for notes in board.notes:
        built.annotation(_notes(notes, source))
    model = built.build()
    model.schema_version = 41
    model.panels = list(_panels(board, source))
    plain: dict[str, Any] = json.loads(json.dumps(model, cls=JSONEncoder))
    return plain


def written(model: dict[str, Any]) -> str:
    """The file's text: the same for the same model."""
    return json.dumps(model, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _panels(board: Board, source: sdk.DataSourceRef) -> Iterator[sdk.Panel | sdk.RowPanel]:
    number, top = 0, 0
    for row in board.rows:
        number += 1
        at = sdk.GridPos(h=ROW_HEIGHT, w=COLUMNS, x=0, y=top)
        yield make.Row(text_of(row.title)).id(number).grid_pos(at).build()
        top += ROW_HEIGHT
        for panel, x, y in _laid_out(row.panels, top):
            number += 1
            place = sdk.GridPos(h=panel.height, w=panel.width, x=x, y=y)
            yield _panel(panel, source, number, place)
            top = max(top, y + panel.height)


def _laid_out(panels: tuple[Panel, ...], top: int) -> Iterator[tuple[Panel, int, int]]:
    """From left to right; a panel that does not fit begins a new line under the highest."""
    x, y, height = 0, top, 0
    for panel in panels:
        if x + panel.width > COLUMNS:
            x, y, height = 0, y + height, 0
        yield panel, x, y
        x, height = x + panel.width, max(height, panel.height)


def _panel(panel: Panel, source: sdk.DataSourceRef, number: int, at: sdk.GridPos) -> sdk.Panel:
    shape = "time_series" if panel.kind == "timeseries" else "table"
    builder = visuals.VISUALS[panel.kind](panel)
    builder.id(number).grid_pos(at).datasource(source)
    builder.title(text_of(panel.title)).no_value(text_of(panel.no_data)).unit(panel.unit)
    if panel.explains.zh:
        builder.description(text_of(panel.explains))
    if panel.decimals is not None:
        builder.decimals(panel.decimals)
    if panel.least_s:
        builder.interval(f"{panel.least_s}s")
    if panel.back_days:
        builder.time_from(f"{panel.back_days}d")
    builder.thresholds(visuals.thresholds(panel.steps))
    builder.color_scheme(visuals.colours(panel.kind))
    if panel.words:
        builder.mappings(visuals.mappings(panel.words))
    for name, colour in panel.colours:
        builder.override_by_name(name, visuals.coloured(colour))
    for field in panel.fields:
        builder.override_by_name(field.column, visuals.properties(field))
    builder.with_target(Query(panel.sql, shape, source))
    built: sdk.Panel = builder.build()
    return built


def _navigation(namespace: str) -> make.DashboardLink:
    return (
        make.DashboardLink("城市大脑 · citybrain")
        .type(sdk.DashboardLinkType.DASHBOARDS)
        .tags([TAG] if namespace == TAG else [namespace])
        .icon("dashboard")
        .as_dropdown(False)
        .include_vars(True)
        .keep_time(True)
    )


def _variable(variable: Variable, source: sdk.DataSourceRef) -> make.QueryVariable:
    made = (
        make.QueryVariable(variable.name)
        .label(text_of(variable.title))
        .query(variable.sql)
        .datasource(source)
        .refresh(sdk.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(sdk.VariableSort.DISABLED)
        .multi(variable.many)
        .include_all(variable.many)
    )
    if variable.many:
        made.current(sdk.VariableOption(selected=True, text=["All"], value=["$__all"]))
    return made


def _notes(notes: Notes, source: sdk.DataSourceRef) -> make.AnnotationQuery:
    made = (
        make.AnnotationQuery()
        .name(text_of(notes.name))
        .datasource(source)
        .enable(True)
        .icon_color(notes.colour)
    )
    query: Any = Query(notes.sql, "table", source)
    made.build().target = query
    return made
