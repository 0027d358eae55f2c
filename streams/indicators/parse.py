"""Reads cells of the Plan's 表1, with their traps (domain.md §8, Parser traps).

`--` is not 0, not 待补充 and not missing; `1.96：1` has a full-width colon; `[3000]*` is a sum over
five years; `75左右` means about; `>90` is strict; row 14 has two classes in one cell.
"""

from __future__ import annotations

import re
from decimal import Decimal

from streams.indicators.definition import Amount, Cell, Operator, Printed

_WORDS = {
    "--": Printed.NOT_SET,
    "待补充": Printed.TO_COME,
    "—": Printed.CUT_OFF,
    "公办学校全覆盖": Printed.TEXT,
}
_OPERATORS = {"≥": Operator.AT_LEAST, ">": Operator.ABOVE, "≤": Operator.AT_MOST}
_NUMBER = r"\d+(?:\.\d+)?"
_PLAIN = re.compile(rf"(?P<sign>[≥>≤]?)(?P<number>{_NUMBER})(?P<about>左右)?")
_RATIO = re.compile(rf"(?P<number>{_NUMBER})[:：]1")
_SUM = re.compile(rf"\[(?P<number>{_NUMBER})\]\*")
_PERIOD_SUM = re.compile(rf"“十[三四]五”累计(?P<sign>[≥>≤]?)(?P<number>{_NUMBER})")
_CLASS = re.compile(rf"(?P<of>[^≥>≤\d，]+)(?P<sign>[≥>≤])(?P<number>{_NUMBER})")


def parse_cell(text: str) -> Cell:
    """The cell. `ValueError` for a text that the Plan does not contain: nothing is guessed."""
    if text in _WORDS:
        return Cell(text, _WORDS[text])
    if found := _SUM.fullmatch(text) or _PERIOD_SUM.fullmatch(text):
        return Cell(text, Printed.NUMBER, (_amount(found),), five_year_sum=True)
    if found := _RATIO.fullmatch(text) or _PLAIN.fullmatch(text):
        return Cell(text, Printed.NUMBER, (_amount(found),))
    parts = [_CLASS.fullmatch(part) for part in text.split("，")]
    if all(parts):
        return Cell(text, Printed.CLASSES, tuple(_amount(part) for part in parts if part))
    raise ValueError(f"no cell of the Plan's table reads {text!r}")


def _amount(found: re.Match[str]) -> Amount:
    groups = found.groupdict()
    operator = _OPERATORS.get(groups.get("sign") or "")
    if groups.get("about"):
        operator = Operator.ABOUT
    return Amount(Decimal(groups["number"]), operator, groups.get("of") or "")
