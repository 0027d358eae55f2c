"""What an alert of a warning signal rests on, for people and programs: amounts, table, sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streams.contracts.domain import Point
from streams.contracts.exact import to_text
from streams.domains.weather import parameters as key
from streams.domains.weather.bounds import FAR, Bounds
from streams.domains.weather.scale import beaufort
from streams.domains.weather.table import SCALES, Amount, Cell, Table

SIGNALS_ZH: Mapping[str, str] = {
    "rainstorm": "暴雨",
    "snowstorm": "暴雪",
    "typhoon": "台风（大风）",
    "cold_wave": "寒潮",
    "heat": "高温",
}
COLOURS_ZH = ("无", "蓝色", "黄色", "橙色", "红色")
_WHAT: Mapping[str, tuple[str, str]] = {
    "rain": ("雨量", "mm"),
    "snow": ("降雪量", "mm"),
    "wind": ("最大平均风", "m/s"),
    "gust": ("最大阵风", "m/s"),
    "max": ("最高气温", "℃"),
    "min": ("最低气温", "℃"),
    "drop": ("降温", "℃"),
}

Shown = tuple[Point, int, Mapping[Amount, Bounds]]
"""A point, its colour (1 … 4), its amounts."""


def evidence_of(
    parameters: Mapping[str, str],
    table: Table,
    signal: str,
    level: int,
    told: Mapping[str, int],
    shown: Sequence[Shown],
    proven: bool,
) -> dict[str, Any]:
    """JSON without floats. `level` is the county's colour, `told` the colour of its points;
    `proven`: measured, not only held because readings are missing."""
    cell = table.signals[signal].cells[level - 1] if level else None
    points = [
        {
            "point": point.id,
            "name": point.name,
            "colour": COLOURS_ZH[colour],
            "amounts": [_amount(a, b, parameters) for a, b in amounts.items()],
        }
        for point, colour, amounts in shown
    ]
    return {
        "signal": SIGNALS_ZH[signal],
        "colour": COLOURS_ZH[level],
        "says": _sentence(signal, level, cell, shown, proven),
        "condition": cell.text if cell else None,
        "proven": proven,
        "table_version": table.version,
        "needed_points": parameters[key.NEEDED_POINTS],
        "met_points": sum(1 for colour in told.values() if colour >= level) if level else 0,
        "points": points,
    }


def _amount(amount: Amount, found: Bounds, parameters: Mapping[str, str]) -> dict[str, Any]:
    """`value` is proven by measurement; `bound` what it could be with what is missing, if other."""
    what, unit = _named(amount)
    value = _measured(amount, found)
    bound = found.low if value == found.high else found.high
    shown = {
        "what": what,
        "value": _text(value, amount),
        "unit": unit,
        "bound": _text(bound, amount) if bound != value else None,
    }
    if amount.quantity in ("wind", "gust") and -FAR < value < FAR:
        shown["force"] = str(beaufort(value, parameters))
    return shown


def _text(value: int, amount: Amount) -> str | None:
    return to_text(value, SCALES[amount.quantity]) if -FAR // 2 < value < FAR // 2 else None


def _sentence(
    signal: str, level: int, cell: Cell | None, shown: Sequence[Shown], proven: bool
) -> str:
    """The leading point's amounts that the colour's cell compares."""
    if cell is None or not shown:
        return f"实况已低于{SIGNALS_ZH[signal]}预警标准"
    point, _, amounts = shown[0]
    compared = {one.amount: None for all_of in cell.alternatives for one in all_of}
    parts = "，".join(_phrase(amount, amounts[amount]) for amount in compared)
    reached = "达到" if proven else "有缺测，尚不能排除"
    standard = f"{SIGNALS_ZH[signal]}{COLOURS_ZH[level]}标准（{cell.text}）"
    return f"{point.name}：{parts}；{reached}{standard}"


def _phrase(amount: Amount, found: Bounds) -> str:
    what, unit = _named(amount)
    value = _text(_measured(amount, found), amount)
    return f"{what}缺测" if value is None else f"{what} {value} {unit}"


def _named(amount: Amount) -> tuple[str, str]:
    what, unit = _WHAT[amount.quantity]
    span = f"连续{amount.span}天" if amount.days else f"{amount.span}小时"
    return span + what, unit


def _measured(amount: Amount, found: Bounds) -> int:
    return found.high if amount.quantity == "min" else found.low
