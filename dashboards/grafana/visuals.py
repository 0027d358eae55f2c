"""How each kind of panel is drawn, and what a column's title, unit, colours and link become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from grafana_foundation_sdk.builders import barchart, common, geomap, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as make
from grafana_foundation_sdk.models import common as shared
from grafana_foundation_sdk.models import dashboard as sdk

from dashboards.grafana.model import TEXT_ONLY, Field, Kind, Panel, Step

PLAIN = "text"  # Grafana's own colour of text, dark or light
BY_PALETTE = (Kind.SERIES, Kind.BARS)
BORDERS = "public/citybrain/areas.geojson"
"""The counties' borders: a file that provisioning puts beside Grafana, so that a map asks nobody
outside. Without it the points stand on an empty ground."""
CENTRE = (29.2, 120.3)  # of Zhejiang
ZOOM = 7
MARK = {"fixed": 7, "min": 4, "max": 14}


def thresholds(steps: tuple[Step, ...]) -> make.ThresholdsConfig:
    """The steps, or one colour for all."""
    drawn = steps or (Step(None, PLAIN),)
    return (
        make.ThresholdsConfig()
        .mode(sdk.ThresholdsMode.ABSOLUTE)
        .steps([sdk.Threshold(value=step.value, color=step.colour) for step in drawn])
    )


def colours(kind: Kind) -> make.FieldColor:
    """Curves and bars are told apart by a palette; everything else is coloured by its steps."""
    modes = sdk.FieldColorModeId
    mode = modes.PALETTE_CLASSIC if kind in BY_PALETTE else modes.THRESHOLDS
    return make.FieldColor().mode(mode)


def mappings(words: tuple[tuple[str, str, str], ...]) -> list[Any]:
    """Words for values."""
    options = {
        value: sdk.ValueMappingResult(text=text, color=colour or None, index=number)
        for number, (value, text, colour) in enumerate(words)
    }
    return [sdk.ValueMap(options=options)]


def properties(field: Field) -> list[sdk.DynamicConfigValue]:
    """What a column looks like, whatever the panel's own unit and colours are."""
    title = f"{field.title.zh} {field.title.en}".strip()
    found = [_set("displayName", title), _set("unit", field.unit)]
    if field.unit == TEXT_ONLY and not field.link and not field.words:
        found.append(_set("custom.filterable", True))
    if field.steps:
        found.append(_set("thresholds", thresholds(field.steps).build()))
    if field.words:
        found.append(_set("mappings", mappings(field.words)))
    if field.steps or any(colour for _, _, colour in field.words):
        found.append(_set("color", {"mode": "thresholds"}))
        found.append(_set("custom.cellOptions", {"type": "color-background", "mode": "basic"}))
    if field.link:
        link = {"title": title, "url": field.link, "targetBlank": True}
        found.append(_set("links", [link]))
    if field.hidden:
        found.append(_set("custom.hidden", True))
    return found


def coloured(colour: str) -> list[sdk.DynamicConfigValue]:
    """A curve of this colour, whatever its place in the palette."""
    return [_set("color", {"mode": "fixed", "fixedColor": colour})]


def _set(name: str, value: object) -> sdk.DynamicConfigValue:
    return sdk.DynamicConfigValue(id_val=name, value=value)


def _stat(panel: Panel) -> Any:
    return (
        stat.Panel()
        .color_mode(
            shared.BigValueColorMode.BACKGROUND if panel.steps else shared.BigValueColorMode.VALUE
        )
        .graph_mode(shared.BigValueGraphMode.NONE)
        .text_mode(shared.BigValueTextMode.VALUE)
        .justify_mode(shared.BigValueJustifyMode.AUTO)
        .orientation(shared.VizOrientation.AUTO)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))
    )


def _series(panel: Panel) -> Any:
    style = (
        shared.GraphThresholdsStyleMode.LINE if panel.steps else shared.GraphThresholdsStyleMode.OFF
    )
    drawn = (
        timeseries.Panel()
        .line_width(1)
        .fill_opacity(25 if panel.stacked else 0)
        .show_points(shared.VisibilityMode.AUTO)
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(style))
        .legend(
            common.VizLegendOptions()
            .display_mode(shared.LegendDisplayMode.LIST)
            .placement(shared.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs([])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(shared.TooltipDisplayMode.MULTI)
            .sort(shared.SortOrder.DESCENDING)
        )
        .span_nulls(False)
    )
    if panel.stacked:
        drawn.stacking(common.StackingConfig().mode(shared.StackingMode.NORMAL).group("A"))
    low, high = panel.bounds
    if low is not None:
        drawn.min(low)
    if high is not None:
        drawn.max(high)
    return drawn


def _table(panel: Panel) -> Any:
    return table.Panel().show_header(True).cell_height(shared.TableCellHeight.SM)


def _bars(panel: Panel) -> Any:
    return (
        barchart.Panel()
        .orientation(shared.VizOrientation.HORIZONTAL)
        .x_field(panel.fields[0].column)
        .stacking(shared.StackingMode.NORMAL if panel.stacked else shared.StackingMode.NONE)
        .show_value(shared.VisibilityMode.AUTO)
        .legend(
            common.VizLegendOptions()
            .display_mode(shared.LegendDisplayMode.LIST)
            .placement(shared.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs([])
        )
    )


def _map(panel: Panel) -> Any:
    lat, lon = CENTRE
    marks: Mapping[str, object] = {
        "showLegend": True,
        "style": {
            "color": {"field": panel.value, "fixed": PLAIN},
            "opacity": 0.9,
            "size": MARK,
            "symbol": {"fixed": "img/icons/marker/circle.svg", "mode": "fixed"},
        },
    }
    where = shared.FrameGeometrySource(
        mode=shared.FrameGeometrySourceMode.COORDS, latitude="latitude", longitude="longitude"
    )
    ground = common.MapLayerOptions().type("geojson").name("县界 borders").config({"src": BORDERS})
    layer = common.MapLayerOptions().type("markers").name("点 points").config(marks).tooltip(True)
    layer.build().location = where
    drawn = geomap.Panel().basemap(ground).layers([layer])
    # The SDK's builder takes whole degrees only.
    options: Any = drawn.build().options
    view = options.view
    view.id_val, view.lat, view.lon, view.zoom = "coords", lat, lon, ZOOM
    return drawn


VISUALS: Mapping[Kind, Callable[[Panel], Any]] = {
    Kind.STAT: _stat,
    Kind.SERIES: _series,
    Kind.TABLE: _table,
    Kind.MAP: _map,
    Kind.BARS: _bars,
}
