"""Types and colours of warnings, by the words and codes that the sources use."""

from __future__ import annotations

from collections.abc import Mapping

from streams.contracts.domain import Parameter
from streams.contracts.reason import Severity

# 中国气象局令第16号 (2007), and what the national list carries besides.
TYPES = (
    "台风",
    "暴雨",
    "暴雪",
    "寒潮",
    "大风",
    "沙尘暴",
    "高温",
    "干旱",
    "雷电",
    "冰雹",
    "霜冻",
    "大雾",
    "霾",
    "道路结冰",
    "雷雨大风",
    "强对流",
    "山洪灾害",
    "山洪灾害气象风险",
    "地质灾害",
    "地质灾害气象风险",
    "森林火险",
    "其它气象灾害",
)
COLOURS = {
    "蓝": Severity.BLUE,
    "黄": Severity.YELLOW,
    "橙": Severity.ORANGE,
    "红": Severity.RED,
}
ENGLISH = {s.name: s for s in COLOURS.values()}
EVENT_CODES = Parameter(
    "warning.event_codes",
    "11B01=台风, 11B03=暴雨, 11B04=暴雪, 11B05=寒潮, 11B06=大风, 11B09=高温",
    "",
    "K",
    "domain.md §5.4",
)
# The two code systems number the colours in opposite directions (warnings-cn).
ROW_LEVELS = {
    "01": Severity.BLUE,
    "02": Severity.YELLOW,
    "03": Severity.ORANGE,
    "04": Severity.RED,
}
ICON_LEVELS = {
    "001": Severity.RED,
    "002": Severity.ORANGE,
    "003": Severity.YELLOW,
    "004": Severity.BLUE,
}


def event_codes(values: Mapping[str, str]) -> dict[str, str]:
    """Code of an event → type, from a profile's value; what is malformed is left out."""
    text = values.get(EVENT_CODES.key, EVENT_CODES.default)
    pairs = (part.partition("=") for part in text.split(","))
    return {code.strip(): name.strip() for code, _, name in pairs if code.strip() and name.strip()}


def known_type(event: str) -> str:
    """The type that this word is; empty when it is none of them."""
    return event if event in TYPES else ""


def colour_in(text: str) -> Severity:
    """The colour that a word names: 橙, 橙色, Orange; NONE when it names none."""
    word = text.strip()
    return COLOURS.get(word.removesuffix("色"), ENGLISH.get(word.upper(), Severity.NONE))
