"""The table of signals: what a cell may say, and how a wrong one is refused."""

from __future__ import annotations

import pytest

from streams.domains.weather.memory import RING_OF, SHAPES
from streams.domains.weather.parameters import CELLS, PARAMETERS, cell_key
from streams.domains.weather.table import LONGEST_H, parse_cell, read_table

DEFAULTS = {p.key: p.default for p in PARAMETERS}
FORCES = (30, 160, 340, 550, 800, 1080, 1390, 1720)


def test_the_national_table_reads() -> None:
    table = read_table(DEFAULTS)
    assert table.version == "cma-2007"
    assert set(table.signals) == set(CELLS)
    orange = table.signals["cold_wave"].cells[2]
    assert [(*c.amount, c.threshold) for c in orange.alternatives[0]] == [
        ("drop", 24, False, 1200),
        ("min", 24, False, 0),
        ("wind", 24, False, 1080),
    ]
    assert table.signals["heat"].cells[0].alternatives == ()
    assert [len(a) for a in table.signals["typhoon"].cells[3].alternatives] == [1, 1]


def test_amounts_of_a_signal_are_told_once_each() -> None:
    amounts = read_table(DEFAULTS).signals["rainstorm"].amounts
    assert [(a.quantity, a.span) for a in amounts] == [("rain", 12), ("rain", 6), ("rain", 3)]


def test_a_local_variant_adds_an_hour() -> None:
    local = DEFAULTS | {cell_key("rainstorm", "orange"): "3h rain>=50 or 1h rain>=40"}
    cell = read_table(local).signals["rainstorm"].cells[2]
    assert [a[0].threshold for a in cell.alternatives] == [50_000, 40_000]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rain>=50", "is no condition"),
        ("3h rain>50", "is no condition"),
        ("3h hail>=50", "is no condition"),
        ("0h rain>=50", "is no condition"),
        ("3h rain>=50 or", "is no condition"),
        ("", "is no condition"),
        ("13h rain>=50", "at most 12h"),
        ("3h rain<=50", "only min"),
        ("24h min>=0", "only min"),
        ("3d rain>=50", "days are for max"),
        ("4d max>=35", "at most 3"),
        ("36h drop>=8", "24h or 48h"),
        ("24h wind>=9", "no Beaufort force from 1 to 8"),
        ("24h gust>=7.5", "no Beaufort force"),
    ],
)
def test_a_wrong_cell_is_refused_with_its_key(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        parse_cell("weather.signal.x.blue", text, FORCES)
    assert str(caught.value).startswith("weather.signal.x.blue: ")


def test_spans_end_before_the_memory_does() -> None:
    for quantity, hours in LONGEST_H.items():
        _, _, memory_ms = SHAPES[RING_OF[quantity]]
        assert (hours + (24 if quantity == "drop" else 0)) * 3_600_000 <= memory_ms
