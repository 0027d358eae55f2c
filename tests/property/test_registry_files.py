"""Laws of registry files: every row is accounted for, nothing crashes, a file gives back what it
was written from."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.registry.assemble import Draft, Rules, assemble
from sensors.registry.columns import COLUMNS
from sensors.registry.crs import Crs
from sensors.registry.geography import Geography
from sensors.registry.line import ADVICE
from sensors.registry.merge import Mode, difference, join
from sensors.registry.source import Reading, read_content
from sensors.registry.write import write_csv, write_geojson
from streams.catalog import Area, Gateway, Registry, Sensor
from streams.contracts.domain import Point
from streams.domains import find_domains
from streams.errors import Misconfigured

AREAS = {
    a.code: a
    for a in (
        Area("330000", "province", None, "浙江省", "Zhejiang"),
        Area("330100", "city", "330000", "杭州市", "Hangzhou"),
        Area("330106", "county", "330100", "西湖区", "Xihu District"),
        Area("330114", "county", "330100", "钱塘区", "Qiantang District"),
    )
}
RULES = Rules(Geography(AREAS, retired={"330104": ("330102", "330114")}), find_domains())
BASE = Registry(AREAS, {}, {}, {}, {"330106": 0, "330114": 1, "330100": 0}, 2)


def read(content: bytes, suffix: str, reading: Reading) -> Draft:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        path.write_bytes(content)
        return assemble([read_content(path, reading)], RULES)


def read_or_told(content: bytes, suffix: str, reading: Reading) -> Draft | None:
    """None when the file as a whole was refused, with its name and a reason."""
    try:
        return read(content, suffix, reading)
    except Misconfigured as error:
        if not all(m.startswith("file.") and len(m) > 15 for m in error.mistakes):
            raise
        return None


def accounted(draft: Draft, rows: int) -> None:
    """Each row is in exactly one account, and each refusal says where, why and what to do."""
    assert draft.rows == rows
    assert draft.taken + len(draft.refused) == draft.rows
    for refused in draft.refused:
        assert refused.advice == ADVICE[refused.fault]
        assert refused.detail
        assert refused.row >= 0
    assert {s.point for s in draft.sensors.values()} <= draft.points.keys()
    assert all(p.area in AREAS for p in draft.points.values())
    json.dumps([p.attributes for p in map(_asdict, draft.points.values())], ensure_ascii=False)


def _asdict(point: Point) -> Point:
    point.name.encode()  # no lone surrogates
    assert "\0" not in point.name + point.id
    return point


# anything at all --------------------------------------------------------------------------------

cell = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            *("p1", "p2", "s1", "gw", "flood_point", "330106", "330104", "西湖区", "depth"),
            *("depth;rain", "120.13", "30.26", "30", "nan", "1e400", "", "-", '"', "\0", "\u3000"),
        ]
    ),
)
rows = st.lists(st.lists(cell, min_size=0, max_size=15), max_size=12)


@given(rows=rows)
def test_every_csv_row_is_taken_or_refused(rows: list[list[str]]) -> None:
    columns = [c for c in COLUMNS if c != "crs"] + ["attr.gauge", "id.bureau"]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows(rows)
    blank = sum(not any(c.strip() for c in row) for row in rows)
    draft = read(out.getvalue().encode("utf-8", "replace"), ".csv", Reading(Crs.GCJ02))
    accounted(draft, len(rows) - blank)
    assert draft.blank == blank


@given(rubbish=st.binary(max_size=300), encoding=st.sampled_from([None, "gb18030"]))
def test_any_bytes_behind_a_header_are_told_or_accounted_for(
    rubbish: bytes, encoding: str | None
) -> None:
    content = b"id,type,area,name,lon,lat\n" + rubbish
    draft = read_or_told(content, ".csv", Reading(Crs.WGS84, encoding))
    if draft is not None:
        accounted(draft, draft.rows)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
odd = st.one_of(anything, cell)
properties = st.fixed_dictionaries(
    {},
    optional={
        name: odd
        for name in ("id", "type", "area", "name", "sensor", "gateway", "properties", "report_s")
    }
    | {
        "external_ids": anything,
        "sensors": st.one_of(
            anything,
            st.lists(
                st.fixed_dictionaries(
                    {},
                    optional={
                        n: odd
                        for n in ("sensor", "gateway", "properties", "report_s", "external_ids")
                    },
                ),
                max_size=3,
            ),
        ),
        "depth of it": anything,
    },
)
geometry = st.one_of(
    anything,
    st.builds(
        lambda kind, where: {"type": kind, "coordinates": where},
        st.sampled_from(["Point", "LineString", "Polygon", "point", "MultiPoint"]),
        st.lists(st.floats(-200, 200) | anything, max_size=4),
    ),
)
features = st.lists(
    st.one_of(
        anything,
        st.builds(
            lambda id, g, p: {"type": "Feature", "id": id, "geometry": g, "properties": p},
            odd,
            geometry,
            properties,
        ),
    ),
    max_size=6,
)


@given(features=features)
def test_every_feature_is_taken_or_refused(features: list[Any]) -> None:
    text = json.dumps({"type": "FeatureCollection", "features": features})
    draft = read_or_told(text.encode(), ".geojson", Reading(Crs.BD09))
    if draft is None:  # a number that JSON readers do not share, such as 10**400
        return
    accounted(draft, draft.rows)
    heard = {r.row for r in draft.refused}
    assert heard <= set(range(len(features) + 1))
    assert draft.rows >= len(features)


@given(rubbish=st.one_of(st.binary(max_size=200), anything.map(lambda v: json.dumps(v).encode())))
def test_any_file_that_is_no_collection_is_told(rubbish: bytes) -> None:
    assert read_or_told(rubbish, ".geojson", Reading(Crs.WGS84)) is None


# there and back ---------------------------------------------------------------------------------

letters = st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co", "Zs", "Zl", "Zp", "Cf"))
word = st.text(letters, min_size=1, max_size=8)
name = st.text(st.sampled_from("abcdefgh-0123456789区点"), min_size=1, max_size=6)
phrase = st.lists(word, min_size=1, max_size=3).map(" ".join)
ids = st.dictionaries(name, word, max_size=2)


@st.composite
def registries(draw: st.DrawFn) -> Registry:
    """Registries as an import makes them: no empty texts, ids that the wire carries."""
    types = sorted(t.name for d in RULES.domains.values() for t in d.points)
    props = sorted(p.name for d in RULES.domains.values() for p in d.properties)
    code = st.sampled_from(["330106", "330114", "330100"])
    points = {}
    for id in draw(st.lists(name, unique=True, max_size=4)):
        where = draw(st.none() | st.tuples(st.floats(-180, 180), st.floats(-90, 90)))
        lon, lat = where or (None, None)
        attributes = draw(st.dictionaries(name, phrase, max_size=3))
        points[id] = Point(
            id, draw(st.sampled_from(types)), draw(code), draw(phrase), lon, lat, attributes,
            draw(ids),
        )  # fmt: skip
    gateways = {
        id: Gateway(id, draw(code), draw(st.just("") | phrase))
        for id in draw(st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,5}", fullmatch=True), max_size=3))
    }
    sensors = {}
    if points and gateways:
        for key in draw(st.lists(name, unique=True, max_size=5)):
            measured = tuple(draw(st.lists(st.sampled_from(props), min_size=1, unique=True)))
            sensors[key] = Sensor(
                0, key, draw(st.sampled_from(sorted(points))),
                draw(st.sampled_from(sorted(gateways))), measured,
                draw(st.integers(0, 86_400)), draw(ids),
            )  # fmt: skip
    return Registry(AREAS, points, sensors, gateways, BASE.partitions, 2)


def numbered(held: Registry) -> Registry:
    """With numbers from a catalogue: given in the order of names."""
    order = sorted(held.sensors)
    return replace(
        held, sensors={n: replace(held.sensors[n], id=i) for i, n in enumerate(order, start=1)}
    )


@settings(max_examples=60)
@given(held=registries(), encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]))
def test_what_a_csv_file_says_is_what_it_was_written_from(held: Registry, encoding: str) -> None:
    declared = "gb18030" if encoding == "gb18030" else None
    draft = read(write_csv(held).encode(encoding), ".csv", Reading(encoding=declared))
    assert draft.refused == []
    again = join(BASE, draft, Mode.REPLACE)
    assert difference(held, again) == ()
    assert numbered(again).version == numbered(held).version


@settings(max_examples=60)
@given(held=registries())
def test_what_a_geojson_file_says_is_what_it_was_written_from(held: Registry) -> None:
    draft = read(write_geojson(held), ".geojson", Reading())
    assert draft.refused == []
    assert numbered(join(BASE, draft, Mode.REPLACE)).version == numbered(held).version


@settings(max_examples=40)
@given(held=registries(), more=registries())
def test_merging_a_file_twice_is_merging_it_once(held: Registry, more: Registry) -> None:
    draft = read(write_geojson(more), ".geojson", Reading())
    once = join(held, draft, Mode.MERGE)
    assert difference(once, join(once, draft, Mode.MERGE)) == ()
    assert more.points.items() <= once.points.items()
    assert held.points.keys() <= once.points.keys()
