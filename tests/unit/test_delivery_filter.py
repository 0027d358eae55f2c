"""What a filter and a target may say, in the words of who wrote them wrongly."""

from __future__ import annotations

import ipaddress

import pytest
from pydantic import ValidationError

from api.actions.subscription import Wish
from api.delivery.filter import Filter
from api.delivery.guard import Guard, Refused, url_mistake

BOW_TIE = [[0, 0], [1, 1], [0, 1], [1, 0], [0, 0]]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"areas": ["33"]}, "no area code"),
        ({"near": {"area": "330100", "within_m": -1}}, "greater than 0"),
        ({"polygon": {"type": "Point", "coordinates": [1, 2]}}, "Polygon or MultiPolygon"),
        ({"polygon": {"type": "Polygon", "coordinates": "x"}}, "rings"),
        ({"polygon": {"type": "Polygon", "coordinates": [[[[[[1]]]]]]}}, "nested too deeply"),
        ({"polygon": {"type": "Polygon", "coordinates": []}}, "no valid area"),
        ({"polygon": {"type": "Polygon", "coordinates": [BOW_TIE]}}, "Self-intersection"),
        (
            {"polygon": {"type": "Polygon", "coordinates": [[[0, 0], [999, 0], [0, 9], [0, 0]]]}},
            "in degrees",
        ),
        ({"min_severity": 5}, "less than or equal to 4"),
        ({"changes": ["exploded"]}, "changes"),
        ({"statuses": []}, "statuses"),
        ({"severity": 3}, "Extra inputs"),
    ],
)  # fmt: skip
def test_a_wrong_filter_is_refused_in_words(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Filter.model_validate(wrong)


@pytest.mark.parametrize(
    ("url", "inner", "words"),
    [
        ("https://a.example/x", False, None),
        ("http://a.example/x", True, None),
        ("http://a.example/x", False, "must be https"),
        ("ftp://a.example", True, "must begin with https"),
        ("https:///x", False, "name a host"),
        ("https://user:word@a.example", False, "user or a password"),
        ("https://a.example/\r\nx: y", False, "without blanks"),
        ("https://a.example:99999/", False, "no URL"),
        ("https://a.example:0/", False, "no such port"),
        ("https://[::1", False, "no URL"),
        ("https://bücher.example", False, "ASCII"),
    ],
)
def test_addresses_of_webhooks(url: str, inner: bool, words: str | None) -> None:
    mistake = url_mistake(url, inner=inner)
    assert mistake is None if words is None else words in str(mistake)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "0.0.0.0", "224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1",
        "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00::1",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b:1::1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:db8::1",
        "fec0::1", "no address", "",
    ],
)  # fmt: skip
def test_only_public_addresses_are_reached(address: str) -> None:
    assert not Guard().allows(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are(address: str) -> None:
    assert Guard().allows(address)


def test_listed_networks_are_reached_and_nothing_beside() -> None:
    guard = Guard((ipaddress.ip_network("10.1.0.0/16"),), public=False)
    assert guard.allows("10.1.2.3")
    assert guard.allows("::ffff:10.1.2.3")
    assert not guard.allows("10.2.0.1")
    assert not guard.allows("8.8.8.8")
    with pytest.raises(Refused, match=r"10\.2\.0\.1 is not public"):
        guard.make_socket((2, 1, 6, "", ("10.2.0.1", 80)))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"channel": "mail", "target": "nobody"}, "addresses of mail"),
        ({"channel": "mail", "target": "a@b.cn\r\nBcc: c@d.cn"}, "addresses of mail"),
        ({"channel": "dingtalk", "target": "https://evil.example/"}, "robot's token"),
        ({"target": "http://10.0.0.1/"}, "must be https"),
        (
            {
                "target": "https://a.example/",
                "mode": "latest_state",
                "filter": {"changes": ["raised"]},
            },
            "every kind of transition",
        ),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Wish.model_validate({"name": "x"} | given)


def test_a_refused_target_does_not_show_its_secret() -> None:
    with pytest.raises(ValidationError) as told:
        Wish.model_validate({"name": "x", "target": "http://a.example/?key=hush"})
    assert "hush" not in str(told.value)
