"""What SensorThings requests mean, without a database: expressions, options, paths, times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from api.problem import Problem
from api.queries.composed import Composed
from api.sensorthings.address import Links, Step, read_address, spelt_key
from api.sensorthings.expression import Binary, Call, Literal, Path, Unary, parse
from api.sensorthings.model import OBSERVATIONS, TYPES
from api.sensorthings.options import read_query
from api.sensorthings.order import after, digest_of, sort_keys, token_of, values_of
from api.sensorthings.translate import Translator, polygon_of
from api.sensorthings.walk import (
    Reach,
    Stretch,
    series_numbered,
    series_of,
    stretch_of,
    stretches,
    windowed_properties,
)
from streams.contracts.domain import Domain, Property, Title

NOW = datetime(2024, 9, 15, 22, 30, tzinfo=UTC)
THINGS, DATASTREAMS = TYPES["Things"], TYPES["Datastreams"]


@contextmanager
def refused(status: int, reason: str = "") -> Iterator[None]:
    """The block ends with a problem of this status whose detail says this."""
    with pytest.raises(Problem) as problem:
        yield
    assert problem.value.status == status
    assert reason in problem.value.detail


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a eq 1", Binary("eq", Path(("a",)), Literal(Decimal(1)))),
        ("name eq 'it''s'", Binary("eq", Path(("name",)), Literal("it's"))),
        (
            "a or b and not c",
            Binary("or", Path(("a",)), Binary("and", Path(("b",)), Unary("not", Path(("c",))))),
        ),
        (
            "1 add 2 mul 3 lt 8",
            Binary(
                "lt",
                Binary(
                    "add",
                    Literal(Decimal(1)),
                    Binary("mul", Literal(Decimal(2)), Literal(Decimal(3))),
                ),
                Literal(Decimal(8)),
            ),
        ),
        ("x/y/id gt -5", Binary("gt", Path(("x", "y", "id")), Unary("-", Literal(Decimal(5))))),
        ("f(a,'b')", Call("f", (Path(("a",)), Literal("b")))),
        ("(((true)))", Literal(True)),
        (
            "phenomenonTime ge 2024-09-16T06:30:00+08:00",
            Binary(
                "ge",
                Path(("phenomenonTime",)),
                Literal(datetime.fromisoformat("2024-09-16T06:30:00+08:00")),
            ),
        ),
        (  # a plus that was not escaped arrives as a space
            "t eq 2024-09-16T06:30:00 08:00",
            Binary(
                "eq", Path(("t",)), Literal(datetime.fromisoformat("2024-09-16T06:30:00+08:00"))
            ),
        ),
    ],
)
def test_expressions_become_trees(text: str, tree: object) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("", 400, "ends where"),
        ("name eq", 400, "ends where"),
        ("name eq 'x", 400, "cannot read"),
        ("name eq 'x' 'y'", 400, "out of place"),
        ("(a eq 1", 400, "missing"),
        ("a eq 1)", 400, "out of place"),
        ("a eq 1;drop", 400, "cannot read"),
        ("name eq '\x00'", 400, "NUL"),
        ("t gt 2024-09-16T06:30:00", 400, "offset"),
        ("t gt 2024-13-16T06:30:00Z", 400, "not an ISO"),
        ("t gt 0001-01-01T00:00:00Z", 400, "reach"),
        ("Datastreams/any(d:d/id eq 1)", 501, "lambda"),
        ("(" * 30 + "true" + ")" * 30, 400, "deeper"),
        ("not " * 30 + "true", 400, "deeper"),
        ("a eq 1 and " * 200 + "true", 400, "more than"),
        ("x" * 4001, 400, "longer"),
    ],
)
def test_what_is_no_expression_is_refused_with_the_reason(
    text: str, status: int, reason: str
) -> None:
    with refused(status, reason):
        parse(text)


@given(some.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(Problem):
        parse(text)


def condition(text: str, entity: str = "Things") -> tuple[str, dict[str, object]]:
    translator = Translator()
    return translator.condition(parse(text), TYPES[entity], "e"), translator.values


def test_values_become_parameters_and_never_sql() -> None:
    sql, values = condition("name eq 'x''; drop table point; --' and properties/a eq 'b'")
    assert "drop" not in sql
    assert values == {"v0": "x'; drop table point; --", "v1": "a", "v2": "b"}


def test_logic_has_two_values() -> None:
    sql, _ = condition("not (properties/areaName eq 'x')")
    assert sql == "(not ((e.area_name = %(v0)s::text) is true))"
    assert condition("properties/areaName eq null")[0] == "(e.area_name is null)"
    assert condition("null ne name")[0] == "(e.name is not null)"
    assert "is distinct from" in condition("name ne 'x'")[0]


def test_a_path_to_another_entity_asks_whether_one_exists() -> None:
    sql, values = condition("Datastreams/ObservedProperty/name eq 'depth'")
    assert sql.count("exists (select 1 from (") == 2
    assert "n1.point = e.id" in sql
    assert "n2.id = n1.property" in sql
    assert values == {"v0": "depth"}


@pytest.mark.parametrize(
    ("text", "entity", "status", "reason"),
    [
        ("name", "Things", 400, "no condition"),
        ("name eq 5", "Things", 400, "cannot be compared"),
        ("name gt null", "Things", 400, "null"),
        ("nam eq 'x'", "Things", 400, "there are: id, name"),
        ("description eq 'x'", "Things", 400, "cannot be asked"),
        ("startswith(name)", "Things", 400, "takes"),
        ("startswith(name, 5)", "Things", 400, "takes"),
        ("name add 1 eq 2", "Things", 400, "takes"),
        ("year(time) eq 2024", "HistoricalLocations", 501, "no function"),
        ("geo.distance(location, location) lt 5", "Locations", 501, "no function"),
        ("frobnicate(name)", "Things", 400, "no function"),
        ("location eq location", "Locations", 400, "cannot be compared"),
        ("Datastreams/Observations/result gt 1", "Things", 501, "by their Observations"),
        ("Datastreams eq 5", "Things", 400, "is an entity"),
        ("Datastreams/name eq name", "Things", 501, "of one entity"),
        ("Datastreams/Thing/Datastreams/Thing/name eq 'x'", "Things", 400, "more than"),
        ("resultTime gt 2024-01-01T00:00:00Z", "Observations", 400, "cannot be asked"),
        ("phenomenonTime gt 'soon'", "Observations", 400, "not an ISO"),
        ("st_within(location, geography'POINT(1 2)')", "Locations", 400, "POLYGON"),
    ],
)
def test_what_cannot_be_asked_is_refused(text: str, entity: str, status: int, reason: str) -> None:
    with refused(status, reason):
        condition(text, entity)


@pytest.mark.parametrize(
    "text",
    [
        "POLYGON((0 0,1 0,1 1))",
        "POLYGON((0 0,1 0,1 1,0 1))",
        "POLYGON((0 0,1 0,1 1,0 0),(0 0,1 0,1 1,0 0))",
        "POLYGON((0 0,1 0,1 91,0 0))",
        "POLYGON((0 0,1 0,1 nan,0 0))",
        "POLYGON((0 0,1 0 3,1 1,0 0))",
        "POLYGON((0 0,1 0,1e,0 0))",
        "POLYGON((" + ",".join(["0 0"] * 501) + "))",
        "LINESTRING(0 0,1 1)",
    ],
)
def test_bad_polygons_are_refused(text: str) -> None:
    with refused(400):
        polygon_of(text)


def test_a_polygon_is_written_as_postgresql_reads_it() -> None:
    wanted = "((119.0,29.5),(121.0,29.5),(121.0,31.0),(119.0,29.5))"
    assert polygon_of("SRID=4326;POLYGON ((119 29.5, 121 29.5, 121 31, 119 29.5))") == wanted


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("Things", (Step("Things", None),)),
        ("Things('a/b''c')", (Step("Things", "a/b'c"),)),
        (
            "Things('x')/Datastreams(5)/Observations",
            (Step("Things", "x"), Step("Datastreams", 5), Step("Observations", None)),
        ),
        ("/Datastreams(5)/Thing/", (Step("Datastreams", 5), Step("Thing", None))),
    ],
)
def test_paths_are_read_step_by_step(path: str, steps: tuple[Step, ...]) -> None:
    assert read_address(path).steps == steps


def test_a_path_may_end_in_a_property_its_value_or_references() -> None:
    assert read_address("Things('x')/name").property == "name"
    assert read_address("Things('x')/name/$value").raw
    assert read_address("Things/$ref").references
    assert read_address("Datastreams(5)/Thing/$ref").references


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("Dragons", 404),
        ("Things('x')/Dragons", 404),
        ("Things(5)", 400),
        ("Things()", 400),
        ("Datastreams('x')", 400),
        ("Datastreams(5.5)", 400),
        ("Datastreams(-5)", 400),
        ("Datastreams(5)/Thing('x')", 400),
        ("Things/Datastreams", 400),
        ("Things/$value", 400),
        ("Things('x')/name/$ref", 400),
        ("Things('x", 400),
        ("Things('x'))", 400),
        ("/".join(["Things('x')"] * 9), 400),
        ("$value", 400),
        ("$ref", 400),
    ],
)
def test_paths_that_lead_nowhere_are_refused(path: str, status: int) -> None:
    with refused(status):
        read_address(path)


@given(some.text(min_size=1, max_size=20).filter(lambda t: "\x00" not in t and "/" not in t))
def test_keys_come_back_from_links(key: str) -> None:
    clean = key.encode("utf-8", "ignore").decode()
    assert read_address(spelt_key(THINGS, clean)).steps == (Step("Things", clean),)


def test_links_escape_the_path_and_keep_the_namespace() -> None:
    links = Links("http://here/v1.1", "play")
    assert links.to("Things('a?b %')", "$top=1") == (
        "http://here/v1.1/Things('a%3Fb%20%25')?$top=1&namespace=play"
    )


@pytest.mark.parametrize(
    ("options", "status", "reason"),
    [
        ({"$top": "-1"}, 400, "number"),
        ({"$top": "1e3"}, 400, "number"),
        ({"$top": "٣"}, 400, "number"),
        ({"$skip": "2000000"}, 400, "nextLink"),
        ({"$skip": "1", "$skiptoken": "x"}, 400, "exclude"),
        ({"$count": "yes"}, 400, "true or false"),
        ({"$fliter": "x"}, 400, "unknown option"),
        ({"top": "1"}, 400, "unknown option"),
        ({"$resultFormat": "dataArray"}, 501, "not supported"),
        ({"$search": "x"}, 501, "not supported"),
        ({"$orderby": "nothing"}, 400, "there are: id, name"),
        ({"$orderby": "name up"}, 400, "asc or desc"),
        ({"$orderby": ""}, 400, "asc or desc"),
        ({"$orderby": "Datastreams/name"}, 501, "linked entity"),
        ({"$orderby": "properties/areaName"}, 400, "not by"),
        ({"$select": "nothing"}, 400, "have no"),
        ({"$expand": "Nothing"}, 400, "no link"),
        ({"$expand": "Datastreams($top=1"}, 400, "closed"),
        ({"$expand": "Datastreams($top=1)x"}, 400, "parenthesis"),
        ({"$expand": "Datastreams(top)"}, 400, "no option"),
        ({"$expand": "Datastreams($top=1;$top=2)"}, 400, "twice"),
        ({"$expand": "Datastreams($skiptoken=x)"}, 400, "inside"),
        ({"$expand": "Datastreams,Datastreams"}, 400, "twice"),
        ({"$expand": "Datastreams/Thing/Datastreams/Thing"}, 400, "levels"),
        ({"$expand": ",".join(["Datastreams"] * 9)}, 400, "more than"),
    ],
)
def test_options_that_are_wrong_are_refused(
    options: dict[str, str], status: int, reason: str
) -> None:
    with refused(status, reason):
        read_query(options.items(), THINGS)


def test_an_option_that_is_given_twice_is_refused() -> None:
    with refused(400, "twice"):
        read_query([("$top", "1"), ("$top", "2")], THINGS)


def test_expansions_have_their_own_options_and_may_be_joined() -> None:
    text = "Datastreams/Sensor,Locations($select=name;$top=3),Datastreams/ObservedProperty"
    found = read_query([("$expand", text)], THINGS).expand
    assert [e.link for e in found] == ["Datastreams", "Locations"]
    assert [e.link for e in found[0].options.expand] == ["Sensor", "ObservedProperty"]
    assert found[1].options.top == 3
    assert found[1].options.select == ("name",)


def test_a_filter_inside_an_expansion_may_hold_signs() -> None:
    text = "Datastreams($filter=name eq 'a;b,(' and id gt 5;$top=1)"
    (found,) = read_query([("$expand", text)], THINGS).expand
    assert found.options.top == 1
    assert found.options.filter is not None


def test_too_large_a_top_is_made_the_largest() -> None:
    assert read_query([("$top", "999999")], THINGS).top == 1000
    assert read_query([("namespace", "x")], THINGS).top == 100


def test_every_order_is_unambiguous() -> None:
    assert [k.name for k in sort_keys(THINGS, ())] == ["id"]
    order = read_query([("$orderby", "name desc")], THINGS).order
    assert [(k.name, k.descending) for k in sort_keys(THINGS, order)] == [
        ("name", True),
        ("id", False),
    ]
    assert [(k.name, k.descending) for k in sort_keys(OBSERVATIONS, ())] == [
        ("phenomenonTime", True),
        ("datastream", True),
    ]


def test_a_token_goes_on_behind_its_row_and_only_for_its_question() -> None:
    keys = sort_keys(OBSERVATIONS, read_query([("$orderby", "result")], OBSERVATIONS).order)
    digest = digest_of("Observations", {"$orderby": "result"})
    row = {"k0": Decimal("0.500"), "k1": NOW, "k2": 7}
    token = token_of(keys, row, digest)
    assert values_of(token, keys, digest) == [Decimal("0.500"), NOW, Decimal(7)]
    for other in ("x", token[:-2], token_of(keys[:1], row, digest)):
        with refused(400, "skiptoken"):
            values_of(other, keys, digest)
    with refused(400, "skiptoken"):
        values_of(token, keys, digest_of("Observations", {"$orderby": "result", "$filter": "x"}))
    sql = after(keys, values_of(token, keys, digest), Translator())
    assert sql.count(" or ") == 2


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("phenomenonTime ge 2024-09-15T22:30:00Z", NOW, None),
        ("2024-09-15T22:30:00Z gt phenomenonTime", None, NOW),
        ("phenomenonTime lt '2024-09-15T22:30:00Z' and result gt 5", None, NOW),
        (
            "phenomenonTime eq 2024-09-15T22:30:00Z",
            NOW,
            NOW + timedelta(microseconds=1),
        ),
        ("phenomenonTime ge 2024-09-15T22:30:00Z or result gt 5", None, None),
        ("not (phenomenonTime ge 2024-09-15T22:30:00Z)", None, None),
        ("phenomenonTime ne 2024-09-15T22:30:00Z", None, None),
    ],
)
def test_only_what_must_hold_narrows_the_time(
    text: str, start: datetime | None, end: datetime | None
) -> None:
    assert stretch_of(parse(text)) == Stretch(start, end)


@pytest.mark.parametrize(
    ("text", "series"),
    [
        ("Datastream/id eq 557058", [(17, 2)]),
        ("result gt 1 and 557058 eq Datastream/@iot.id", [(17, 2)]),
        ("Datastream/id eq 557058 or result gt 1", None),
        ("Datastream/id ne 557058", None),
        ("Datastream/id eq 1e60", [(0, 0)]),
    ],
)
def test_only_what_must_hold_narrows_the_series(
    text: str, series: list[tuple[int, int]] | None
) -> None:
    assert series_of(parse(text)) == series


@given(some.integers(1, 2**31 - 1), some.integers(0, 2**15 - 1))
def test_a_datastreams_number_is_sensor_and_property(sensor: int, prop: int) -> None:
    assert series_numbered(sensor << 15 | prop) == (sensor, prop)


@given(
    some.integers(0, 10**7),
    some.integers(1, 10**6),
    some.floats(1e-6, 1e4),
    some.booleans(),
    some.none() | some.integers(0, 10**7),
)
def test_times_to_look_in_grow_to_the_whole(
    span_s: int, rows: int, per_s: float, descending: bool, end_s: int | None
) -> None:
    floor = NOW - timedelta(seconds=span_s)
    end = None if end_s is None else floor + timedelta(seconds=end_s)
    whole = Stretch(floor, end)
    found = stretches(Reach(floor, NOW, per_s), whole, rows, descending)
    assert found[-1] == whole
    for near, far in pairwise(found):
        assert far.within(near) == near


def test_only_properties_whose_readings_all_have_windows_are_bounded_by_them() -> None:
    title = Title("", "")
    with_windows = Property("a", "", 0, title, Decimal(0), Decimal(1))
    without = Property("b", "", 0, title, Decimal(0), Decimal(1), windows_s=())
    domains = {
        "x": Domain("x", title, (with_windows, without), ()),
        "y": Domain("y", title, (replace(with_windows, windows_s=()),), ()),
    }
    assert windowed_properties({"x": domains["x"]}) == ["a"]
    assert windowed_properties(domains) == []
    assert windowed_properties({}) == []


def test_a_query_is_put_together_from_tables_and_parameters() -> None:
    text, values = Composed("st_things", ("e.id = %(v0)s",), ("e.id asc",), {"k0": "e.id"}).rows(
        3, 1
    )
    assert text.startswith(b"select e.*, e.id as k0 from (select p.id, p.name")
    assert text.endswith(
        b"e where e.id = %(v0)s order by e.id asc limit %(_limit)s offset %(_offset)s"
    )
    assert values == {"_limit": 3, "_offset": 1}
