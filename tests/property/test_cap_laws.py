"""Laws of CAP messages: what is written is read again as it was, and the schema agrees."""

from __future__ import annotations

import io
from datetime import datetime
from decimal import Decimal

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contracts.cap.model import (
    Area,
    CapSeverity,
    Category,
    Certainty,
    Circle,
    Info,
    Message,
    MsgType,
    Named,
    Reference,
    Resource,
    ResponseType,
    Scope,
    Status,
    Urgency,
)
from streams.contracts.cap.read import read
from streams.contracts.cap.rules import InvalidMessage
from streams.contracts.cap.write import write
from tests.support.shared_data import shared_data

TEXTS = (
    st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="￾￿"), min_size=1)
    .map(str.strip)
    .filter(bool)
)
NAMES = st.from_regex(r"[A-Za-z0-9._:@-]{1,30}", fullmatch=True)
TIMES = st.builds(
    lambda moment, zone: f"{moment:%Y-%m-%dT%H:%M:%S}{zone}",
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(["+08:00", "-00:00", "-05:00"]),
)
NAMED = st.builds(Named, TEXTS, st.one_of(st.just(""), TEXTS))
NUMBERS = st.decimals(-80, 80, places=4)
CIRCLES = st.builds(Circle, NUMBERS, NUMBERS, st.decimals(0, 1000, places=2))


def tuples(of: st.SearchStrategy[object], least: int = 0) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(of, min_size=least, max_size=2).map(tuple)


def square(lat: Decimal, lon: Decimal) -> tuple[tuple[Decimal, Decimal], ...]:
    return ((lat, lon), (lat, lon + 1), (lat + 1, lon + 1), (lat + 1, lon), (lat, lon))


AREAS = st.builds(
    Area,
    area_desc=TEXTS,
    polygons=tuples(st.builds(square, NUMBERS, NUMBERS)),
    circles=tuples(CIRCLES),
    geocodes=tuples(NAMED),
    altitude=st.just(Decimal("100.5")),
    ceiling=st.one_of(st.none(), st.just(Decimal(200))),
)
MAYBE = st.one_of(st.none(), TEXTS)
RESOURCES = st.builds(
    Resource,
    resource_desc=TEXTS,
    mime_type=TEXTS,
    size=st.one_of(st.none(), st.integers(0, 10**9)),
    uri=st.one_of(st.none(), NAMES.map(lambda name: f"https://example.org/{name}")),
    deref_uri=MAYBE,
    digest=MAYBE,
)
INFOS = st.builds(
    Info,
    categories=tuples(st.sampled_from(Category), 1),
    event=TEXTS,
    urgency=st.sampled_from(Urgency),
    severity=st.sampled_from(CapSeverity),
    certainty=st.sampled_from(Certainty),
    language=st.sampled_from([None, "zh-CN", "en-US"]),
    response_types=tuples(st.sampled_from(ResponseType)),
    audience=MAYBE,
    event_codes=tuples(NAMED),
    effective=st.one_of(st.none(), TIMES),
    onset=st.one_of(st.none(), TIMES),
    expires=st.one_of(st.none(), TIMES),
    sender_name=MAYBE,
    headline=MAYBE,
    description=MAYBE,
    instruction=MAYBE,
    web=st.one_of(st.none(), st.just("https://example.org/alerts")),
    contact=MAYBE,
    parameters=tuples(NAMED),
    resources=tuples(RESOURCES),
    areas=tuples(AREAS),
)
EARLIER = st.builds(Reference, NAMES, NAMES, st.just("1999-12-31T23:59:59+08:00"))
MESSAGES = st.builds(
    Message,
    identifier=NAMES.map("id-{}".format),
    sender=NAMES,
    sent=TIMES,
    status=st.sampled_from(Status),
    msg_type=st.sampled_from(MsgType),
    scope=st.just(Scope.PUBLIC),
    source=MAYBE,
    addresses=MAYBE,
    codes=tuples(TEXTS),
    note=TEXTS,
    references=tuples(EARLIER, 1),
    incidents=MAYBE,
    infos=tuples(INFOS),
)


@settings(max_examples=60, deadline=None)
@given(MESSAGES)
def test_what_is_written_is_read_again_as_it_was(message: Message) -> None:
    assert read(write(message)) == message


@settings(max_examples=25, deadline=None)
@given(MESSAGES)
def test_the_schema_agrees(message: Message) -> None:
    path = shared_data("cap") / "schema" / "cap12.xsd"
    schema = SCHEMAS.setdefault("1.2", xmlschema.XMLSchema(str(path)))
    schema.validate(io.BytesIO(write(message)))


SCHEMAS: dict[str, xmlschema.XMLSchema] = {}


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(), st.text().map(str.encode)))
def test_anything_else_is_refused_and_nothing_more(content: bytes) -> None:
    with pytest.raises(InvalidMessage, match="rule "):
        read(content)
