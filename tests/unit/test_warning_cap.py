"""CAP messages as official warnings of our city: areas, colour, type, references."""

from __future__ import annotations

import pytest

from sensors.warnings.cap import read_cap
from sensors.warnings.places import Places, plain_code
from streams.catalog import Area
from streams.contracts.cap.rules import InvalidMessage, Rule
from streams.contracts.reason import Severity
from streams.contracts.warning import Kind, Named
from tests.support.shared_data import shared_data

SQUARE = {
    "type": "Polygon",
    "coordinates": [[[120, 30], [121, 30], [121, 31], [120, 31], [120, 30]]],
}
BESIDE = {
    "type": "Polygon",
    "coordinates": [[[121, 30], [122, 30], [122, 31], [121, 31], [121, 30]]],
}
PLACES = Places(
    {
        "330106": Area("330106", "county", "330100", "西湖区", "Xihu"),
        "330110": Area("330110", "county", "330100", "余杭区", "Yuhang"),
        "330100": Area("330100", "city", "330000", "杭州市", "Hangzhou"),
    },
    {"330106": SQUARE, "330110": BESIDE, "330100": SQUARE},
)
HEAD = """<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>z.2</identifier>
<sender>met@zj.gov.cn</sender><sent>2026-08-07T18:18:00+08:00</sent><status>Actual</status>
<msgType>{kind}</msgType><scope>{scope}</scope>{more}"""
INFO = """<info><language>{language}</language><category>Met</category><event>{event}</event>
<urgency>Expected</urgency><severity>{severity}</severity><certainty>Likely</certainty>{code}
<expires>2026-08-08T18:18:00+08:00</expires><headline>{headline}</headline>{parameter}
<area><areaDesc>somewhere</areaDesc>{area}</area></info>"""
GEOCODE = "<geocode><valueName>GB/T 2260</valueName><value>{}</value></geocode>"
LEVEL = "<parameter><valueName>预警级别</valueName><value>{}</value></parameter>"


def info(**given: str) -> str:
    usual = {"language": "zh-CN", "event": "暴雨", "severity": "Severe", "code": "", "area": ""}
    return INFO.format(**usual | {"headline": "题", "parameter": ""} | given)


def message(*infos: str, kind: str = "Alert", scope: str = "Public", more: str = "") -> bytes:
    return (HEAD.format(kind=kind, scope=scope, more=more) + "".join(infos) + "</alert>").encode()


def test_codes_say_where_and_the_parameter_says_the_colour() -> None:
    content = message(
        info(area=GEOCODE.format("330106000000,330110"), parameter=LEVEL.format("红色"))
    )
    warning = read_cap(content, PLACES)
    assert warning.areas == ("330106", "330110")
    assert warning.severity is Severity.RED
    assert (warning.type, warning.kind, warning.original) == ("暴雨", Kind.ALERT, content)


@pytest.mark.parametrize(
    ("said", "severity"),
    [("Extreme", 4), ("Severe", 3), ("Moderate", 2), ("Minor", 1), ("Unknown", 0)],
)
def test_without_a_colour_the_severity_gives_it(said: str, severity: int) -> None:
    assert read_cap(message(info(severity=said)), PLACES).severity == severity


def test_an_event_code_gives_the_type() -> None:
    code = "<eventCode><valueName>type</valueName><value>11B01</value></eventCode>"
    warning = read_cap(message(info(event="Typhoon Bebinca", language="en", code=code)), PLACES)
    assert (warning.event, warning.type) == ("Typhoon Bebinca", "台风")


def test_chinese_is_preferred_and_the_worst_severity_counts() -> None:
    english = info(language="en-US", event="Rainstorm", headline="rain", severity="Extreme")
    warning = read_cap(message(english, info(headline="雨")), PLACES)
    assert (warning.headline, warning.event, warning.severity) == ("雨", "暴雨", Severity.RED)


def test_without_codes_the_polygon_says_which_counties() -> None:
    polygon = "<polygon>30.2,120.2 30.2,120.8 30.8,120.8 30.8,120.2 30.2,120.2</polygon>"
    warning = read_cap(message(info(area=polygon)), PLACES)
    assert warning.areas == ("330106",)
    assert warning.geometry is not None
    assert warning.geometry["coordinates"][0][0][1] == [120.8, 30.2]


def test_a_shared_border_is_no_overlap() -> None:
    polygon = "<polygon>30,120 30,121 31,121 31,120 30,120</polygon>"
    assert read_cap(message(info(area=polygon)), PLACES).areas == ("330106",)


def test_areas_of_one_message_may_lie_over_each_other() -> None:
    first = "<polygon>30.2,120.2 30.2,120.8 30.8,120.8 30.8,120.2 30.2,120.2</polygon>"
    second = "<polygon>30.3,120.3 30.3,121.5 30.7,121.5 30.7,120.3 30.3,120.3</polygon>"
    assert read_cap(message(info(area=first + second)), PLACES).areas == ("330106", "330110")


def test_a_circle_is_as_wide_as_it_says() -> None:
    warning = read_cap(message(info(area="<circle>30.5,120.9 30</circle>")), PLACES)
    assert warning.areas == ("330106", "330110")
    assert warning.geometry is not None
    ring = warning.geometry["coordinates"][0][0]
    assert max(lat for _, lat in ring) == pytest.approx(30.5 + 30 / 111.32, abs=1e-5)
    assert ring[0] == ring[-1]


def test_codes_of_other_systems_are_no_areas_of_ours() -> None:
    content = (shared_data("cap") / "samples" / "oasis_v1.2_appendix_a4.xml").read_bytes()
    warning = read_cap(content, PLACES)
    assert (warning.areas, warning.language) == ((), "en-US")


def test_an_update_names_what_it_replaces() -> None:
    more = "<references>met@zj.gov.cn,z.1,2026-08-07T17:00:00+08:00</references>"
    warning = read_cap(message(info(), kind="Update", more=more), PLACES)
    assert warning.kind is Kind.UPDATE
    assert warning.references == (Named("met@zj.gov.cn", "z.1"),)


def test_a_cancel_needs_no_info() -> None:
    more = "<references>met@zj.gov.cn,z.1,2026-08-07T17:00:00+08:00</references>"
    warning = read_cap(message(kind="Cancel", more=more), PLACES)
    assert (warning.kind, warning.areas, warning.headline) == (Kind.CANCEL, (), "")


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (message(), Rule.REQUIRED),
        (message(info(area=GEOCODE.format("33"))), Rule.VALUE),
        (message(info(), scope="Private", more="<addresses>a</addresses>"), Rule.SCOPE),
        (
            message(
                info(), kind="Ack", more="<references>a,b,2026-08-07T17:00:00+08:00</references>"
            ),
            Rule.VALUE,
        ),
    ],
)
def test_what_warns_of_nothing_or_is_not_for_all_is_refused(content: bytes, rule: Rule) -> None:
    with pytest.raises(InvalidMessage) as refused:
        read_cap(content, PLACES)
    assert refused.value.faults[0].rule is rule


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("330106", "330106"),
        (" 330000 ", "330000"),
        ("330106002", "330106002"),
        ("330106000000", "330106"),
        ("330106002000", "330106002"),
        ("33", None),
        ("33010a", None),
    ],
)
def test_codes_in_their_lengths(text: str, code: str | None) -> None:
    assert plain_code(text) == code
