"""CSV cells and lines, and the choice of a form: edges first."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as some

from api.colour import colour
from api.exact import unscaled
from api.lane import Lane, Lanes
from api.offer import accepted, next_link
from api.routers.history import SLICE_ROWS, slices
from api.table import BOM, TableWriter, cell, guarded
from streams.errors import Unavailable


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("＝1+1", "'＝1+1"),
        ("-", "'-"),
        ("-0.50", "-0.50"),
        ("12.5", "12.5"),
        ("-1e5", "'-1e5"),
        ("文三路", "文三路"),
        ("", ""),
    ],
)
def test_text_that_would_run_as_a_formula_is_disarmed(text: str, safe: str) -> None:
    assert guarded(text) == safe


def test_cells_are_exact_and_local() -> None:
    assert cell(unscaled(-5, 1)) == "-0.5"
    assert cell(unscaled(2**63 - 1, 3)) == "9223372036854775.807"
    assert cell(datetime(2024, 9, 15, 22, 30, tzinfo=UTC)) == "2024-09-16T06:30:00+08:00"
    assert cell(None) == ""
    assert cell(True) == "true"
    assert cell(colour(3)) == "orange"
    assert cell({"a": [1, None]}) == '{"a":[1,null]}'


def test_lines_end_with_crlf_and_quote_what_must_be() -> None:
    writer = TableWriter(["a", "b"], {"kind": "live"}, bom=True)
    assert writer.head() == BOM + b"a,b,kind\r\n"
    assert writer.lines([{"a": 'x"y', "b": "1,2"}]) == b'"x""y","1,2",live\r\n'
    assert writer.lines([{"b": "two\nlines"}]) == b',"two\nlines",live\r\n'
    assert writer.lines([]) == b""


@given(some.lists(some.tuples(some.text(), some.text()), max_size=5))
def test_a_table_reads_back_as_it_was_written(rows: list[tuple[str, str]]) -> None:
    clean = [(a.replace("\x00", ""), b.replace("\x00", "")) for a, b in rows]
    writer = TableWriter(["a", "b"], {})
    data = writer.head() + writer.lines({"a": a, "b": b} for a, b in _encodable(clean))
    back = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert back == [["a", "b"], *(list(row) for row in _encodable(clean))]


def _encodable(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What PostgreSQL can hold: no lone surrogates."""
    drop = ("utf-8", "ignore")
    return [(a.encode(*drop).decode(), b.encode(*drop).decode()) for a, b in rows]


@given(some.text())
def test_no_guarded_text_begins_like_a_formula_but_a_number(text: str) -> None:
    found = guarded(text)
    if found[:1] in tuple("=+-@\t\r\n"):
        assert found == "" or float(found) <= 0


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("", "json"),
        ("text/csv", "csv"),
        ("application/geo+json, application/json;q=0.9", "geojson"),
        ("application/json;q=0.2, text/csv;q=0.7, */*;q=0.1", "csv"),
        ("text/csv;q=0", "json"),
        ("text/csv;q=x", "json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "json"),
        ("image/png", "json"),
    ],
)
def test_the_accept_header_chooses_by_weight(header: str, form: str) -> None:
    assert accepted(header) == form


def test_the_link_to_the_next_page_is_plain_ascii() -> None:
    scope = {
        "type": "http",
        "path": "/v1/points/文三路 1/history",
        "query_string": b"format=csv&limit=2&cursor=old&kind=%E9%9B%A8",
        "headers": [],
        "server": ("h", 80),
        "scheme": "http",
    }
    link = next_link(Request(scope), "new")
    assert link == (
        "/v1/points/%E6%96%87%E4%B8%89%E8%B7%AF%201/history"
        "?format=csv&limit=2&kind=%E9%9B%A8&cursor=new"
    )
    assert next_link(Request(scope), None) is None


@given(some.integers(1, 10**9), some.integers(0, 10**6))
def test_slices_of_time_cover_it_without_gap_or_overlap(span_s: int, rows: int) -> None:
    start = datetime(2024, 9, 15, 22, 30, tzinfo=UTC)
    end = start + timedelta(seconds=span_s)
    found = list(slices(start, end, rows))
    assert (found[0][0], found[-1][1]) == (start, end)
    assert all(one[1] == other[0] for one, other in pairwise(found))
    assert all(one[0] <= one[1] for one in found)
    assert len(found) == max(1, -(-rows // SLICE_ROWS))


def test_long_answers_are_few_and_end() -> None:
    now = [0.0]
    lanes = Lanes(most=1, longest_s=10, clock=lambda: now[0])
    first, second = Lane(lanes), Lane(lanes)
    first.enter()
    with pytest.raises(Unavailable):
        second.enter()
    second.leave()
    assert lanes.taken == 1
    now[0] = 10
    first.check()
    now[0] = 10.1
    with pytest.raises(Unavailable):
        first.check()
    first.leave()
    first.leave()
    assert lanes.taken == 0
    second.enter()
