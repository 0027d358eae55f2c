"""Severity for people: rank, colour word in Chinese and English (domain.md §5.2)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from streams.contracts.reason import Severity

COLOURS = {
    Severity.NONE: ("green", "绿", "低", "low"),
    Severity.BLUE: ("blue", "蓝", "一般", "moderate"),
    Severity.YELLOW: ("yellow", "黄", "较高", "elevated"),
    Severity.ORANGE: ("orange", "橙", "高", "high"),
    Severity.RED: ("red", "红", "极高", "extreme"),
}
ColourName = Literal["blue", "yellow", "orange", "red"]
RANKS: dict[ColourName, Severity] = {
    "blue": Severity.BLUE,
    "yellow": Severity.YELLOW,
    "orange": Severity.ORANGE,
    "red": Severity.RED,
}


class Colour(BaseModel):
    """One of the five colours."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"rank": 3, "name": "orange", "zh": "橙", "risk_zh": "高", "risk_en": "high"}
            ]
        },
    )

    rank: int = Field(description="0 green … 4 red.")
    name: str
    zh: str
    risk_zh: str
    risk_en: str


def colour(severity: int) -> Colour:
    """The colour of a severity."""
    name, zh, risk_zh, risk_en = COLOURS[Severity(severity)]
    return Colour(rank=int(severity), name=name, zh=zh, risk_zh=risk_zh, risk_en=risk_en)
