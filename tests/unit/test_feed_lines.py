"""Lines of recorded files: numbers, damage and what goes on after it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from sensors.feeds import feed_named
from sensors.feeds.feed import Fault, Refused
from sensors.feeds.lines import read_cells, sort_files
from streams.errors import Misconfigured


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_numbers_lines_from_the_header_on(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "x,y\n1,2\n\n3,4\n")
    assert list(read_cells(path)) == [(2, {"x": "1", "y": "2"}), (4, {"x": "3", "y": "4"})]


def test_drops_a_byte_order_mark_and_carriage_returns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfx,y\r\n1,2\r\n")
    assert list(read_cells(path)) == [(2, {"x": "1", "y": "2"})]


def test_reads_gzip_like_plain_text(tmp_path: Path) -> None:
    text = "x,y\n1,2\n"
    plain = write(tmp_path / "a.csv", text)
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert list(read_cells(packed)) == list(read_cells(plain))


def test_a_quoted_cell_may_span_lines_and_counts_from_its_first(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'x,y\n1,"a\n  b\n"\n3,4\n')
    assert list(read_cells(path)) == [(2, {"x": "1", "y": "a\n  b\n"}), (5, {"x": "3", "y": "4"})]


def test_an_unclosed_quote_costs_its_own_line_only(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n}\n" for n in range(100))
    path = write(tmp_path / "a.csv", 'x,y\n1,"broken\n' + rows)
    first, *rest = read_cells(path)
    assert isinstance(first, Refused)
    assert (first.line, first.fault) == (2, Fault.UNCLOSED_QUOTE)
    assert len(rest) == 100
    assert rest[0] == (3, {"x": "0", "y": "0"})


def test_an_unclosed_quote_near_the_end_costs_its_own_line_only(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'x,y\n1,"broken\n5,6\n')
    first, second = read_cells(path)
    assert isinstance(first, Refused)
    assert second == (3, {"x": "5", "y": "6"})


def test_a_line_with_other_columns_is_refused_with_its_number(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "x,y\n1\n1,2,3\n5,6\n")
    found = list(read_cells(path))
    assert [f.line for f in found if isinstance(f, Refused)] == [2, 3]
    assert {f.fault for f in found if isinstance(f, Refused)} == {Fault.WRONG_COLUMNS}
    assert found[-1] == (4, {"x": "5", "y": "6"})


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"x,y\n\xff\xfe,2\n5,6\n")
    first, second = read_cells(path)
    assert isinstance(first, Refused)
    assert (first.line, first.fault) == (2, Fault.DAMAGED)
    assert second == (3, {"x": "5", "y": "6"})


def test_a_truncated_gzip_gives_what_it_has_and_says_where_it_ends(tmp_path: Path) -> None:
    text = "x,y\n" + "".join(f"{n},{n * n}\n" for n in range(20_000))
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(text.encode())[:-20_000])
    found = list(read_cells(packed))
    last = found[-1]
    assert isinstance(last, Refused)
    assert last.fault is Fault.DAMAGED
    assert not any(isinstance(f, Refused) for f in found[:-1])
    assert last.line == len(found) + 1  # header + the rows before it + itself
    assert len(found) > 1000


def test_a_missing_file_is_misconfigured(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"nothing\.csv"):
        list(read_cells(tmp_path / "nothing.csv"))


def test_files_are_sorted_by_their_columns(tmp_path: Path) -> None:
    depths = write(tmp_path / "b.csv", "time_utc,sensor_id,depth_inches\n")
    sensors = write(
        tmp_path / "a.csv", "sensor_name,sensor_id,tidally_influenced,latitude,longitude\n"
    )
    found = sort_files(feed_named("floodnet"), [sensors, depths])
    assert found == {"readings": [depths], "stations": [sensors], "published": []}


def test_every_misfit_file_is_named(tmp_path: Path) -> None:
    odd = write(tmp_path / "odd.csv", "a,b\n")
    packed = write(tmp_path / "no.csv.gz", "not compressed")
    with pytest.raises(Misconfigured) as caught:
        sort_files(feed_named("floodnet"), [odd, packed, tmp_path / "absent.csv"])
    text = str(caught.value)
    assert all(name in text for name in ("odd.csv", "no.csv.gz", "absent.csv"))


def test_a_feed_without_its_rows_is_misconfigured(tmp_path: Path) -> None:
    sensors = write(
        tmp_path / "a.csv", "sensor_name,sensor_id,tidally_influenced,latitude,longitude\n"
    )
    with pytest.raises(Misconfigured, match="needs depth rows"):
        sort_files(feed_named("floodnet"), [sensors])
