"""What must hold for every dashboard: its JSON, its places, its units, its thresholds. Pure.

Looks at the JSON that Grafana gets, not at our words. Queries: `dashboards.grafana.ask`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import combinations
from typing import Any

from dashboards.grafana.model import COLOURS, COLUMNS, Board, Panel
from dashboards.grafana.rules import parameters_of
from streams.alerting.rule import fill
from streams.contracts.domain import Domain, TierRule

Model = Mapping[str, Any]
LOOSE = ("MatcherConfig.options", "DynamicConfigValue.value")
"""Where the published schema asks for an object and Grafana saves any value (its SOURCE.md)."""


def mistakes(
    made: Iterable[tuple[Board, Model]],
    domains: Mapping[str, Domain],
    parameters: Mapping[str, str] | None = None,
) -> list[str]:
    """All that is wrong, each with the dashboard and panel that it is about."""
    found: list[str] = []
    uids: set[str] = set()
    for board, model in made:
        uid = model["uid"]
        if uid in uids:
            found.append(f"{uid}: this uid is given twice")
        uids.add(uid)
        found += (f"{uid}: {what}" for what in _of_model(model))
        found += (f"{uid}: {what}" for what in _of_thresholds(board, model, domains, parameters))
    return found


def schema_mistakes(model: Model, schema: Mapping[str, Any]) -> list[str]:
    """What the published JSON Schema of dashboards complains of, loosened where Grafana is."""
    from jsonschema import Draft7Validator

    validator = Draft7Validator(_loosened(schema))
    return [
        f"{'/'.join(str(part) for part in error.absolute_path)}: {error.message[:200]}"
        for error in sorted(validator.iter_errors(model), key=lambda error: error.json_path)
    ]


def panels_of(model: Model) -> list[Model]:
    """The panels that show something, in order."""
    return [panel for panel in model["panels"] if panel["type"] != "row"]


def _of_model(model: Model) -> Iterator[str]:
    ids = [panel["id"] for panel in model["panels"]]
    if len(set(ids)) < len(ids):
        yield "panel ids are not unique"
    for one, other in combinations(model["panels"], 2):
        if _overlap(one["gridPos"], other["gridPos"]):
            yield f"panels {one['id']} and {other['id']} overlap"
    for panel in panels_of(model):
        yield from (f"panel {panel['id']} {panel['title']}: {what}" for what in _of_panel(panel))


def _of_panel(panel: Model) -> Iterator[str]:
    at, defaults = panel["gridPos"], panel["fieldConfig"]["defaults"]
    if at["x"] < 0 or at["x"] + at["w"] > COLUMNS:
        yield "stands outside the grid"
    if not defaults.get("unit"):
        yield "has no unit"
    if not defaults.get("noValue"):
        yield "says nothing when there are no data"
    if not panel.get("targets"):
        yield "asks nothing"
    for target in panel.get("targets", ()):
        if target["datasource"] != panel["datasource"]:
            yield "asks another data source than its own"


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def _of_thresholds(
    board: Board, model: Model, domains: Mapping[str, Domain], given: Mapping[str, str] | None
) -> Iterator[str]:
    """Compared with what the worker compares with, as integers at the value's scale."""
    for panel, drawn in zip(board.panels, panels_of(model), strict=True):
        if panel.rule is None:
            continue
        domain, rule = _rule(panel.rule, domains)
        numbers = fill(rule, parameters_of(domain, given))
        scale = next((p.scale for p in domain.properties if p.name == rule.property), None)
        scale = rule.unit_scale if scale is None else scale
        over = [key in rule.over for key, _ in rule.levels]
        # The worker compares at the rule's scale; a tier that is met only above has one unit more.
        wanted = [
            (Decimal(meet - above).scaleb(-rule.unit_scale), COLOURS[severity])
            for meet, above, severity in zip(numbers.meet, over, numbers.severities, strict=True)
        ]
        if rule.property is not None:
            wanted = [(value.scaleb(rule.unit_scale - scale), colour) for value, colour in wanted]
        for steps in _steps(panel, drawn):
            shown = [
                (Decimal(str(s["value"])), s["color"]) for s in steps if s["value"] is not None
            ]
            if shown != wanted:
                yield f"panel {panel.title.en}: thresholds {shown} are not the rule's {wanted}"


def _steps(panel: Panel, drawn: Model) -> Iterator[list[Mapping[str, Any]]]:
    config = drawn["fieldConfig"]
    if panel.steps:
        yield config["defaults"]["thresholds"]["steps"]
    for override in config["overrides"]:
        if override["matcher"]["options"] == panel.value:
            yield from (
                p["value"]["steps"] for p in override["properties"] if p["id"] == "thresholds"
            )


def _rule(name: str, domains: Mapping[str, Domain]) -> tuple[Domain, TierRule]:
    return next((d, r) for d in domains.values() for r in d.rules if r.name == name)


def _loosened(schema: Mapping[str, Any]) -> dict[str, Any]:
    definitions = dict(schema["definitions"])
    for place in LOOSE:
        name, field = place.split(".")
        whole = definitions[name]
        definitions[name] = {**whole, "properties": {**whole["properties"], field: {}}}
    return {**schema, "definitions": definitions}
