"""The Plan's three computed indicators on the start page, with and without data, and a map that has
no borders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from psycopg import sql
from psycopg.types.json import Jsonb

from api.access.guard import COOKIE
from api.access.role import ALL, Role
from streams.storage.connect import connect
from tests.support.admission import api_served, make_account, make_session
from tests.support.axe import violations
from tests.support.seed import seed
from tests.support.seed_domains import DOMAINS
from tests.support.seed_figures import write_fact

pytest_plugins = ["tests.support.browser"]
pytestmark = [pytest.mark.browser, pytest.mark.integration]

YEAR = {
    "start": datetime.fromisoformat("2024-01-01T00:00:00+08:00"),
    "end": datetime.fromisoformat("2025-01-01T00:00:00+08:00"),
    "unit": "%",
}


@pytest.fixture
def city(database_url: str, namespace: str, tmp_path: Path) -> str:
    seed(database_url, namespace, tmp_path)
    make_account(database_url, namespace, "onlooker", (Role.VIEWER, ALL))
    return namespace


@pytest.fixture
def client(database_url: str, city: str) -> Iterator[httpx.Client]:
    with api_served(database_url, city, DOMAINS) as client:
        yield client


@pytest.fixture
def page(browser: Browser, client: httpx.Client, database_url: str, city: str) -> Iterator[Page]:
    """Not yet at the page."""
    page = browser.new_page(base_url=str(client.base_url), viewport={"width": 1440, "height": 900})
    session = make_session(database_url, city, "onlooker")
    page.context.add_cookies([{"name": COOKIE, "value": session, "url": str(client.base_url)}])
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    yield page
    page.close()
    assert trouble == []


def card(page: Page, row: int) -> Locator:
    return page.locator(f'#headline [data-row="{row}"]')


def write(database_url: str, namespace: str, indicator: str, period: str, **given: Any) -> None:
    with connect(database_url, namespace, "citybrain test") as connection:
        write_fact(connection, indicator, "330000", period, **given)
        connection.commit()


def test_there_are_always_three_and_each_says_why_it_is_empty(page: Page) -> None:
    page.goto("/")
    expect(page.locator("#headline > li")).to_have_count(3)
    first = card(page, 13)
    expect(first.locator(".number")).to_contain_text("60.0%")
    expect(first.locator(".bounds")).to_have_text("完整，上下限即此值")
    expect(first).to_contain_text("已销号/名册 240/400")
    expect(first).to_contain_text("疑似复发 0")
    expect(first).to_contain_text("2025年目标 100")
    expect(first).to_contain_text("2024 线性参考值 85")
    expect(first).to_contain_text("参考值非规划目标")
    expect(card(page, 15).locator(".why")).to_contain_text("尚无数值：自然日结束")
    expect(card(page, 15)).to_contain_text("2025年目标 ≥93")
    expect(card(page, 19).locator(".why")).to_contain_text("尚无数值")
    month = page.locator("#figures .card", has_text="plan.15")
    expect(month).to_contain_text("93.3")
    page.click("#language")
    expect(card(page, 15).locator(".why")).to_contain_text("No value yet: ")


def test_bounds_are_drawn_where_they_lie(page: Page, database_url: str, city: str) -> None:
    detail = {"ratio_2012rule": "94.0", "ratio_2026rule": "91.5"}
    given = {"have": 200, "want": 260, "lower": "75.0", "upper": "95.0", "detail": Jsonb(detail)}
    write(database_url, city, "plan.15", "year", value="92.3", **YEAR, **given)
    page.goto("/")
    shown = card(page, 15)
    expect(shown.locator(".number")).to_contain_text("92.3%")
    expect(shown.locator(".bounds")).to_have_text("上下限 75.0 – 95.0")
    expect(shown.locator(".part")).to_have_text("完整 200/260")
    expect(shown).to_contain_text("按标准 2012 94.0")
    expect(shown.locator("h3")).to_contain_text("2024")
    scale, band, line = (box(shown.locator(f".{each}")) for each in ("scale", "band", "value-line"))
    assert (band[0] - scale[0]) / scale[1] == pytest.approx(0.75, abs=0.02)
    assert band[1] / scale[1] == pytest.approx(0.20, abs=0.02)
    assert (line[0] + line[1] / 2 - scale[0]) / scale[1] == pytest.approx(0.923, abs=0.02)
    expect(shown.locator("svg")).to_have_attribute(
        "aria-label", "92.3%, 上下限 75.0 – 95.0, 2025年目标 ≥93"
    )


def box(found: Locator) -> tuple[float, float]:
    """Left edge and width."""
    drawn = found.bounding_box()
    assert drawn is not None
    return drawn["x"], drawn["width"]


def test_a_chosen_domain_shows_its_own_only(page: Page) -> None:
    page.goto("/?domain=waterlogging")
    expect(page.locator("#headline > li")).to_have_count(1)
    expect(card(page, 13)).to_be_visible()


@pytest.mark.parametrize("left", [0, 40], ids=["none", "some"])
def test_counties_without_borders_stand_in_rows_and_the_page_says_so(
    page: Page, database_url: str, city: str, pictures: Path, left: int
) -> None:
    shapes = sql.Identifier(city, "area_shape")
    kept = sql.SQL("select code from {} where length(code) = 6 order by code desc limit %s")
    with psycopg.connect(database_url, autocommit=True) as connection:
        statement = sql.SQL("delete from {} where code not in ({})").format(
            shapes, kept.format(shapes)
        )
        connection.execute(statement, (left,))
    page.goto("/")
    counties = page.locator("#map .county")
    expect(counties).to_have_count(90)
    expect(page.locator("#map-tiles")).to_be_visible()
    expect(page.locator("#map-tiles")).to_contain_text("不表示位置")
    places = page.eval_on_selector_all(
        "#map .county",
        "found => found.map((e) => { const b = e.getBBox();"
        " return [Math.round(b.x), Math.round(b.y), b.width]; })",
    )
    assert all(width > 0 for _, _, width in places)
    assert len({(x, y) for x, y, _ in places}) == 90
    expect(page.locator("#map .labels text", has_text=re.compile("^红"))).not_to_have_count(0)
    page.screenshot(path=pictures / f"borders-{left}.png")
    page.locator('#map .county[tabindex="0"]').press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#county")).to_be_visible()
    assert violations(page) == []
