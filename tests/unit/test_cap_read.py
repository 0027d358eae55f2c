"""CAP messages of agencies, read as they wrote them; and what is refused, by which rule."""

from __future__ import annotations

import io
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import xmlschema

from streams.contracts.cap.model import (
    Category,
    Circle,
    MsgType,
    Named,
    Reference,
    ResponseType,
    Status,
)
from streams.contracts.cap.read import MAX_BYTES, read
from streams.contracts.cap.rules import InvalidMessage, Rule
from streams.contracts.cap.sense import check_public
from streams.contracts.cap.write import write
from streams.contracts.reason import Reason
from tests.support.shared_data import shared_data

VALID = (
    "oasis_v1.2_appendix_a1",
    "oasis_v1.2_appendix_a2",
    "oasis_v1.2_appendix_a3",
    "oasis_v1.2_appendix_a4",
    "australia_nsw_rfs",
    "canada_ec",
    "nws_weather_cap11",
    "usgs_earthquake_iso8859-1",
    "wcatwc_tsunami_warning",
)
PLAIN = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>a.1</identifier><sender>s@example.org</sender><sent>2026-11-30T08:00:00+08:00</sent>
<status>Test</status><msgType>Alert</msgType><scope>Public</scope>
<info><language>zh-CN</language><category>Met</category><event>暴雨</event>
<urgency>Expected</urgency><severity>Severe</severity><certainty>Likely</certainty>
<area><areaDesc>西湖区</areaDesc><polygon>30,120 30,121 31,121 30,120</polygon></area></info>
</alert>"""


def sample(name: str) -> bytes:
    return (shared_data("cap") / "samples" / f"{name}.xml").read_bytes()


def edited(old: str, new: str) -> bytes:
    assert old in PLAIN
    return PLAIN.replace(old, new).encode()


def broken_rule(content: bytes) -> Rule:
    with pytest.raises(InvalidMessage) as refused:
        read(content)
    return refused.value.faults[0].rule


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(shared_data("cap") / "schema" / "cap12.xsd"))


@pytest.mark.parametrize("name", VALID)
def test_a_valid_sample_is_written_again_and_equal(name: str, schema: xmlschema.XMLSchema) -> None:
    message = read(sample(name))
    document = write(message)
    schema.validate(io.BytesIO(document))
    assert read(document) == message


def test_the_standards_first_example() -> None:
    message = read(sample("oasis_v1.2_appendix_a1"))
    assert (message.identifier, message.sender) == ("43b080713727", "hsas@dhs.gov")
    assert message.sent == "2003-04-02T14:39:01-05:00"
    assert message.msg_type is MsgType.ALERT
    (info,) = message.infos
    assert info.parameters == (Named("HSAS", "ORANGE"),)
    assert info.resources[0].mime_type == "image/gif"
    assert info.areas[0].area_desc == "U.S. nationwide and interests worldwide"


def test_a_polygon_is_latitude_first() -> None:
    (area,) = read(sample("oasis_v1.2_appendix_a2")).infos[0].areas
    assert area.polygons[0][0] == (Decimal("38.47"), Decimal("-120.14"))
    assert len(area.polygons[0]) == 5
    assert area.geocodes[2] == Named("SAME", "006003")


def test_an_update_names_what_it_replaces() -> None:
    message = read(sample("oasis_v1.2_appendix_a3"))
    assert message.msg_type is MsgType.UPDATE
    assert message.references == (
        Reference("trinet@caltech.edu", "TRI13970876.1", "2003-06-11T20:30:00-07:00"),
    )
    assert message.infos[0].areas[0].circles == (
        Circle(Decimal("32.9525"), Decimal("-115.5527"), Decimal(0)),
    )


def test_languages_stand_beside_each_other() -> None:
    english, spanish = read(sample("oasis_v1.2_appendix_a4")).infos
    assert (english.language, spanish.language) == ("en-US", "es-US")
    assert spanish.event == "Abducción de Niño"


def test_an_update_of_canada_is_an_all_clear_with_empty_elements() -> None:
    message = read(sample("canada_ec"))
    assert (message.restriction, message.addresses, message.note) == (None, None, None)
    assert [r.identifier for r in message.references] == [
        "2.49.0.1.124.a3f342a4.2012",
        "2.49.0.1.124.60f31a3a.2012",
    ]
    english, french = message.infos
    assert (english.language, french.language) == ("en-CA", "fr-CA")
    assert english.response_types == (ResponseType.ALL_CLEAR,)
    assert [len(a.polygons[0]) for a in english.areas] == [17, 38]
    assert english.areas[0].geocodes[1] == Named("profile:CAP-CP:Location:0.3", "3537001")


def test_australia_has_two_categories_and_a_circle() -> None:
    info = read(sample("australia_nsw_rfs")).infos[0]
    assert info.categories == (Category.FIRE, Category.MET)
    assert info.areas[0].circles == (Circle(Decimal("-35.3888"), Decimal("147.0598"), Decimal(25)),)
    assert Named("AllocatedResources", "") in info.parameters


def test_latin_1_is_read_by_its_declaration() -> None:
    message = read(sample("usgs_earthquake_iso8859-1"))
    headline = message.infos[0].headline or ""
    assert headline.startswith("EQ 4.6 Usulután, Usulután, El Salvador")
    assert message.infos[0].language is None


def test_references_of_a_tsunami_warning() -> None:
    message = read(sample("wcatwc_tsunami_warning"))
    assert message.references == (Reference("PAAQ", "PAAQ-1-lqw6d6", "2011-09-02T10:55:55-00:00"),)
    assert message.incidents == "lqw6d6"


def test_cap_1_1_becomes_1_2() -> None:
    message = read(sample("nws_weather_cap11"))
    assert message.status is Status.ACTUAL
    assert message.sent == "2010-08-30T04:07:00-06:00"
    assert message.infos[0].areas[0].geocodes == (Named("FIPS6", "030049"), Named("UGC", "MTZ014"))
    assert b"cap:1.2" in write(message)


def test_a_time_of_cap_1_1_in_utc_gets_an_offset() -> None:
    old = PLAIN.replace("cap:1.2", "cap:1.1")
    content = old.replace("2026-11-30T08:00:00+08:00", "2026-11-30T00:00:00.250Z").encode()
    assert read(content).sent == "2026-11-30T00:00:00-00:00"


def test_a_message_without_scope_is_refused_by_its_rule() -> None:
    with pytest.raises(InvalidMessage) as refused:
        read(sample("invalid_missing_scope"))
    assert refused.value.detail == "rule required: alert/scope: is missing"
    assert refused.value.reason is Reason.INVALID_WARNING


ENTITIES = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
LAUGHS = f'<!DOCTYPE a [<!ENTITY l0 "ha">{ENTITIES}]>'


@pytest.mark.parametrize(
    "prolog",
    [
        LAUGHS,
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd">',
        '<!-- hidden --><?and so?> <!DOCTYPE a PUBLIC "-//A//B" "http://127.0.0.1:1/a.dtd">',
    ],
    ids=["billion laughs", "external entity", "external DTD", "hidden behind a comment"],
)
def test_a_document_type_is_refused_before_a_parser_sees_it(prolog: str) -> None:
    content = PLAIN.replace("<alert", f"{prolog}<alert", 1).replace("暴雨", "&l9;")
    with pytest.raises(InvalidMessage) as refused:
        read(content.encode())
    assert refused.value.faults[0].rule is Rule.DOCUMENT_TYPE
    assert refused.value.reason is Reason.UNSAFE_XML


def test_a_document_type_in_utf_16_is_seen_too() -> None:
    text = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'
    assert broken_rule(text.encode("utf-16")) is Rule.DOCUMENT_TYPE


def test_a_huge_document_is_refused_unread() -> None:
    content = PLAIN.encode() + b" " * MAX_BYTES
    assert broken_rule(content) is Rule.SIZE


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('encoding="UTF-8"', 'encoding="EBCDIC-CP-US"', Rule.ENCODING),
        ("暴雨", "&gift;", Rule.WELL_FORMED),
        ("</alert>", "", Rule.WELL_FORMED),
        ("cap:1.2", "cap:1.0", Rule.NAMESPACE),
        ("urn:oasis:names:tc:emergency:cap:1.2", "http://com.icss.amp", Rule.NATIONAL_DIALECT),
        ("<event>暴雨</event>", "<event>暴雨</event><mood>bad</mood>", Rule.ELEMENT),
        ("<scope>Public</scope>", "<scope>Public</scope><scope>Public</scope>", Rule.ELEMENT),
        (
            "<status>Test</status><msgType>Alert</msgType>",
            "<msgType>Alert</msgType><status>Test</status>",
            Rule.ELEMENT,
        ),
        ("<scope>Public</scope>", "<scope>Public</scope>loose", Rule.ELEMENT),
        ("<event>暴雨</event>", "", Rule.REQUIRED),
        ("<event>暴雨</event>", "<event> </event>", Rule.REQUIRED),
        ("<status>Test</status>", "<status>Real</status>", Rule.VALUE),
        ("<language>zh-CN</language>", "<language>中文</language>", Rule.VALUE),
        ("08:00:00+08:00", "00:00:00Z", Rule.DATE_TIME),
        ("08:00:00+08:00", "08:00:00.5+08:00", Rule.DATE_TIME),
        ("2026-11-30T", "2026-02-30T", Rule.DATE_TIME),
        ("a.1</", "a 1</", Rule.IDENTIFIER),
        ("s@example.org</", "s,t@example.org</", Rule.IDENTIFIER),
        ("<scope>Public</scope>", "<scope>Restricted</scope>", Rule.SCOPE),
        ("<scope>Public</scope>", "<scope>Private</scope>", Rule.SCOPE),
        ("<scope>Public</scope>", "<scope>Public</scope><restriction>x</restriction>", Rule.SCOPE),
        ("<msgType>Alert</msgType>", "<msgType>Update</msgType>", Rule.REFERENCES),
        ("</scope>", "</scope><references>one</references>", Rule.REFERENCES),
        (
            "</scope>",
            "</scope><references>s@example.org,a.1,2026-11-30T08:00:00+08:00</references>",
            Rule.REFERENCES,
        ),
        (
            "</scope>",
            "</scope><references>s@example.org,a.0,2026-11-30T08:00:01+08:00</references>",
            Rule.REFERENCES,
        ),
        ("30,120 30,121 31,121 30,120", "30,120 30,121 30,120", Rule.POLYGON),
        ("30,120 30,121 31,121 30,120", "30,120 30,121 31,121 31,120", Rule.POLYGON),
        ("30,120 30,121 31,121 30,120", "120,30 121,30 121,31 120,30", Rule.POLYGON),
        ("30,120 30,121 31,121 30,120", "30,120 31,121 30,121 31,120 30,120", Rule.POLYGON),
        ("</polygon>", "</polygon><circle>30,120</circle>", Rule.CIRCLE),
        ("</polygon>", "</polygon><circle>30,120 -1</circle>", Rule.CIRCLE),
        ("</polygon>", "</polygon><ceiling>9</ceiling>", Rule.CEILING),
        ("</polygon>", "</polygon><altitude>9</altitude><ceiling>8</ceiling>", Rule.CEILING),
    ],
)
def test_every_rule_has_a_name(old: str, new: str, rule: Rule) -> None:
    assert broken_rule(edited(old, new)) is rule


def test_an_error_says_why() -> None:
    earlier = "<references>s@example.org,a.0,2026-11-30T07:00:00+08:00</references>"
    content = edited("<msgType>Alert</msgType>", "<msgType>Error</msgType>").replace(
        b"</scope>", f"</scope>{earlier}".encode()
    )
    assert broken_rule(content) is Rule.NOTE


@pytest.mark.parametrize("encoding", ["gb2312", "GBK", "gb18030", "UTF-16"])
def test_chinese_encodings_are_read_by_their_declaration(encoding: str) -> None:
    content = PLAIN.replace("UTF-8", encoding).encode(encoding)
    assert read(content).infos[0].event == "暴雨"


def test_a_message_for_the_public_needs_more() -> None:
    lacking = [fault.where for fault in check_public(read(PLAIN.encode()))]
    assert lacking == ["alert/info[1]/description", "alert/info[1]/web", "alert/info[1]/expires"]


def test_nothing_is_fetched(tmp_path: Path) -> None:
    """An included file is an unknown element, whatever it names."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    include = f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{secret}"/>'
    assert broken_rule(edited("暴雨", include)) is Rule.ELEMENT


def test_a_control_character_is_not_written() -> None:
    with pytest.raises(InvalidMessage) as refused:
        write(replace(read(PLAIN.encode()), note="\x00"))
    assert refused.value.faults[0].rule is Rule.CHARACTERS
