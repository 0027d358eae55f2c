"""Opens a registry file: compressed or not, its encoding and its coordinate system declared.

Nothing is guessed: text is UTF-8 (with or without a byte order mark) unless the caller says
otherwise, and positions mean what the file or the caller declares.
"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sensors.registry.crs import Crs
from sensors.registry.csv_file import read_csv
from sensors.registry.geojson_file import read_geojson
from sensors.registry.line import Content, Entry, Line
from streams.errors import Misconfigured

ENCODINGS = ("utf-8", "gb18030")
URN = "urn:ogc:def:crs:"
CRS_NAMES = (
    (re.compile(rf"(?i)wgs[ _-]?84|({URN}OGC:[\d.]*:)?crs84|({URN})?epsg:[\d.]*:?4326"), Crs.WGS84),
    (re.compile(rf"(?i)cgcs[ _-]?2000|({URN})?epsg:[\d.]*:?4490"), Crs.CGCS2000),
    (re.compile(r"(?i)gcj[ _-]?0?2"), Crs.GCJ02),
    (re.compile(r"(?i)bd[ _-]?0?9"), Crs.BD09),
)
TELL = "wgs84, cgcs2000, gcj02 (Amap, Tencent) or bd09 (Baidu)"


@dataclass(frozen=True, slots=True)
class Reading:
    """How the caller says files are to be read; None = the file says so itself."""

    crs: Crs | None = None
    encoding: str | None = None


def read_content(path: Path, reading: Reading) -> Content:
    """All rows of a file. Raises `Misconfigured` with what is wrong with the file as a whole."""
    file, text = path.name, read_text(path, reading.encoding)
    kind = suffix(path)
    if kind in (".geojson", ".json"):
        name, lines = read_geojson(file, text)
        return _content(file, reading, name, lines)
    if kind == ".csv":
        rows = list(read_csv(file, text))
        return _content(file, reading, _one_crs(file, rows), rows)
    raise Misconfigured([f"{file}: neither .csv nor .geojson (each may end in .gz)"])


def suffix(path: Path) -> str:
    """`.csv`, `.geojson` …, whether compressed or not."""
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def read_text(path: Path, encoding: str | None) -> str:
    """The text of a file. Raises `Misconfigured` when it is unreadable or not so encoded."""
    try:
        raw = path.read_bytes()
        if path.name.endswith(".gz"):
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise Misconfigured([f"{path.name}: {error}"]) from error
    return decode(path.name, raw, encoding)


def decode(file: str, raw: bytes, encoding: str | None) -> str:
    """UTF-8 unless another encoding is declared; a byte order mark must not contradict it."""
    if encoding is not None and encoding not in ENCODINGS:
        raise Misconfigured([f"encoding {encoding!r} is none of {', '.join(ENCODINGS)}"])
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Misconfigured([f"{file}: is UTF-16: save it as UTF-8"])
    marked = raw.startswith(codecs.BOM_UTF8)
    if marked and encoding == "gb18030":
        raise Misconfigured([f"{file}: is declared gb18030, but its byte order mark says UTF-8"])
    try:
        return raw.removeprefix(codecs.BOM_UTF8).decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        hint = "" if encoding else "; a file of Chinese Excel needs --encoding gb18030"
        raise Misconfigured(
            [f"{file}: line {line}: byte 0x{raw[error.start]:02x} is not {error.encoding}{hint}"]
        ) from error


def crs_named(text: str) -> Crs | None:
    """The system that a name means; None when it is none of ours (a projected one, for example)."""
    return next((crs for pattern, crs in CRS_NAMES if pattern.fullmatch(text.strip())), None)


def declared_crs(file: str, name: str | None, given: Crs | None, needed: bool) -> Crs | None:
    """What the file's positions mean. Raises `Misconfigured` when nobody says, or two differ."""
    found = None if name is None else crs_named(name)
    if name is not None and found is None:
        raise Misconfigured([f"{file}: crs {name[:80]!r} is none of {TELL}"])
    if found is not None and given is not None and found is not given:
        raise Misconfigured([f"{file}: says crs {found}, --crs says {given}"])
    if found is None and given is None and needed:
        raise Misconfigured(
            [f"{file}: declares no crs: add --crs with what its positions are, {TELL}"]
        )
    return found or given


def _content(
    file: str, reading: Reading, name: str | None, lines: Iterable[Line | None]
) -> Content:
    rows = tuple(lines)
    kept = tuple(line for line in rows if line is not None)
    needed = any("lon" in e.cells or "lat" in e.cells for e in kept if isinstance(e, Entry))
    crs = declared_crs(file, name, reading.crs, needed)
    return Content(file, crs, kept, len(rows) - len(kept))


def _one_crs(file: str, rows: Iterable[Line | None]) -> str | None:
    """The value of the column crs; all filled cells must agree."""
    names = {row.cells["crs"] for row in rows if isinstance(row, Entry) and "crs" in row.cells}
    if len(names) > 1:
        told = ", ".join(sorted(name[:40] for name in names))
        raise Misconfigured([f"{file}: column crs holds {told}: one file has one crs"])
    return next(iter(names), None)
