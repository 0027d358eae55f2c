"""A person gets a page, a program a problem document; nothing of a request is in it unescaped."""

from __future__ import annotations

import pytest
from lxml import etree

from api.page import refusal_page, wants_page

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"
CALLBACK = "/v1/session/oidc/callback"


@pytest.mark.parametrize(
    ("path", "accept", "page"),
    [
        (CALLBACK, BROWSER, True),
        ("/v1/session/oidc", "text/html", True),
        (CALLBACK, "application/json, text/html;q=0.5", False),
        (CALLBACK, "application/problem+json, text/html;q=0.9", False),
        (CALLBACK, "*/*", False),
        (CALLBACK, "", False),
        (CALLBACK, "text/html;q=0", False),
        (CALLBACK, "text/html;q=many", False),
        ("/v1/alerts", BROWSER, False),
        ("/v1/session/oidcs", BROWSER, False),
    ],
)
def test_who_gets_a_page(path: str, accept: str, page: bool) -> None:
    assert wants_page(path, accept) is page


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{status}", "&amp;"]
)
def test_what_is_told_is_text(hostile: str) -> None:
    parsed = etree.HTML(refusal_page(401, hostile, hostile))
    assert parsed.findtext(".//h1") == parsed.findtext(".//p") == hostile
    assert parsed.findall(".//script") == parsed.findall(".//img") == []


def test_the_ways_back_lead_to_ourselves() -> None:
    parsed = etree.HTML(refusal_page(503, "The issuer does not answer."))
    assert [a.get("href") for a in parsed.iter("a")] == ["/v1/session/oidc", "/"]
    assert "暂时没有响应" in parsed.findtext(".//h1")
