"""Exact decimals at the border: as text (the truth) and as a number (for drawing)."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from pydantic import BaseModel, ConfigDict, Field


class Exact(BaseModel):
    """A value twice: `text` is exact, `number` is its nearest binary number."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "0.153", "number": 0.153}]}
    )

    text: str = Field(description="Exact decimal.")
    number: float = Field(description="The same, rounded to a binary number, for drawing only.")


def unscaled(value: int, scale: int) -> Exact:
    """The decimal `value / 10**scale`."""
    return _exact(Decimal(value).scaleb(-scale))


def mean(total: int, count: int, scale: int, digits: int = 2) -> Exact | None:
    """`total / count / 10**scale`, rounded half to even to `digits` more digits than the scale."""
    if count <= 0:
        return None
    places = Decimal(1).scaleb(-scale - digits)
    return _exact((Decimal(total).scaleb(-scale) / count).quantize(places, ROUND_HALF_EVEN))


def _exact(value: Decimal) -> Exact:
    return Exact(text=format(value, "f"), number=float(value))
