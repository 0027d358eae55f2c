"""The start page in a real browser: colours, alerts, language, a county, the keyboard, a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from api.access.guard import COOKIE
from api.access.role import ALL, Role
from tests.support.admission import make_account, make_session
from tests.support.axe import violations
from tests.support.seed import UNKNOWN_COUNTY, Seeded

pytest_plugins = ["tests.support.seeded", "tests.support.browser"]
pytestmark = [pytest.mark.browser, pytest.mark.integration]

DESK = (1440, 900)
PHONE = (390, 844)


@pytest.fixture(scope="module")
def session(database_url: str, seeded: Seeded) -> str:
    """The token of somebody who sees everything."""
    make_account(database_url, seeded.namespace, "onlooker", (Role.VIEWER, ALL))
    return make_session(database_url, seeded.namespace, "onlooker")


@pytest.fixture
def page(browser: Browser, client: httpx.Client, session: str) -> Iterator[Page]:
    """The start page, drawn and fed; any error in its scripts fails the test."""
    yield from opened(browser, client, session, DESK)


@pytest.fixture
def phone(browser: Browser, client: httpx.Client, session: str) -> Iterator[Page]:
    """The same on a phone."""
    yield from opened(browser, client, session, PHONE)


def opened(
    browser: Browser, client: httpx.Client, session: str, size: tuple[int, int]
) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.context.add_cookies(
        [{"name": COOKIE, "value": session, "url": str(client.base_url), "httpOnly": True}]
    )
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: foreign(request.url, client, trouble))
    page.goto(str(client.base_url))
    expect(page.locator("#state")).to_have_class("ok")
    yield page
    page.close()
    assert trouble == []


def foreign(url: str, client: httpx.Client, trouble: list[str]) -> None:
    """Everything must come from the API itself."""
    if not url.startswith((str(client.base_url).rstrip("/"), "data:")):
        trouble.append(f"asked elsewhere: {url}")


def test_counties_have_their_colour_and_a_character(page: Page, seeded: Seeded) -> None:
    expect(page.locator("#map .county")).to_have_count(90)
    worst = page.locator(f'#map .county[data-code="{seeded.county}"]')
    expect(worst).to_have_class(re.compile(r"\br4\b"))
    expect(worst).to_have_attribute("aria-label", re.compile("红 极高"))
    colours = {
        kind: page.locator(f"#map .county.{kind}").first.evaluate("e => getComputedStyle(e).fill")
        for kind in ("r0", "r1", "r2", "r3", "r4")
    }
    assert len(set(colours.values())) == 5
    expect(page.locator("#map .labels text", has_text="红").first).to_be_attached()


def test_an_unknown_county_is_hatched_over_its_last_colour(page: Page) -> None:
    county = page.locator(f'#map .county[data-code="{UNKNOWN_COUNTY}"]')
    expect(county).to_have_class(re.compile(r"\br[1-4]\b"))
    expect(county).to_have_attribute("aria-label", re.compile("未知"))
    expect(page.locator("#map .hatch.on")).to_have_count(1)


def test_a_namespace_that_is_not_live_says_so_loudly(page: Page) -> None:
    banner = page.locator("#banner")
    expect(banner).to_be_visible()
    expect(banner).to_contain_text("模拟 SIMULATED")
    box = banner.bounding_box()
    assert box is not None
    assert box["width"] == DESK[0]
    assert box["height"] >= 30


def test_incidents_are_listed_worst_first_and_open_into_alerts(page: Page) -> None:
    first = page.locator("#alert-list > li").first
    expect(first.locator(".level").first).to_have_text("红")
    expect(first.locator(".value").first).to_have_text(re.compile(r"^\d+ 条$"))
    expect(page.locator("#counts")).to_contain_text("红")
    assert page.locator("#alert-list > li").count() <= 25
    first.locator("button").first.press("Enter")
    alert = first.locator(".inside li").first
    expect(alert.locator(".value")).to_have_text(re.compile(r"^0\.\d{3} / 0\.400 m$"))
    expect(first.locator("button").first).to_be_focused()
    expect(first.locator("button").first).to_have_attribute("aria-expanded", "true")
    first.locator("button").first.press("Enter")
    expect(first.locator(".inside")).to_have_count(0)


def test_lines_of_several_counties_open_into_incidents(page: Page) -> None:
    line = page.locator("#alert-list > li", has_text="起事件").first
    line.locator("button").first.click()
    expect(line.locator(".inside .group").first).to_be_visible()
    line.locator(".inside .group").first.click()
    expect(line.locator(".inside .inside li .since").first).to_be_visible()


def test_official_warnings_are_context_with_a_badge(page: Page) -> None:
    rows = page.locator("#warning-list li")
    expect(rows).to_have_count(2)
    expect(rows.first.locator(".level")).to_have_text("红")
    expect(rows.first.locator(".place")).to_have_text("台风 · 浙江省")
    expect(rows.first.locator(".official")).to_have_text("官方预警")
    expect(rows.nth(1).locator(".what")).to_have_text("台州市气象台")
    expect(rows.nth(1).locator(".since")).to_have_text("04:30 → 09-17 04:30 *")
    page.click("#language")
    expect(rows.first.locator(".official")).to_have_text("official")
    expect(page.locator("#warning-list")).to_have_attribute(
        "aria-label", "Official warnings in force"
    )
    page.click("#language")


def test_stale_alerts_are_marked(page: Page) -> None:
    page.locator(f'#map .county[data-code="{UNKNOWN_COUNTY}"]').click(force=True)
    expect(page.locator("#county .mark.stale").first).to_be_visible()


def test_figures_show_completeness_and_as_of(page: Page) -> None:
    card = page.locator("#figures .card", has_text="plan.15")
    expect(card).to_contain_text("93.3")
    expect(card).to_contain_text("完整 165/165")
    expect(card).to_contain_text("截至\u00a009-16\u00a002:30")
    expect(page.locator("#cities tbody tr")).to_have_count(11)


def test_the_clock_is_processing_time(page: Page) -> None:
    expect(page.locator("#clock")).to_have_text("2024-09-16 06:30:00")
    expect(page.locator("#ledger-law")).to_contain_text("账目平衡")


def test_the_language_switches_and_stays(page: Page) -> None:
    page.click("#language")
    expect(page.locator("#alerts-title")).to_have_text("Open alerts")
    expect(page.locator("#alert-list .level").first).to_have_text("R")
    page.reload()
    expect(page.locator("#alerts-title")).to_have_text("Open alerts")
    page.click("#language")
    expect(page.locator("#alerts-title")).to_have_text("未解除预警")


def test_a_county_shows_points_alerts_and_a_course(page: Page, seeded: Seeded) -> None:
    page.locator(f'#map .county[data-code="{seeded.county}"]').click(force=True)
    panel = page.locator("#county")
    expect(panel).to_be_visible()
    name = seeded.registry.areas[seeded.county].name
    expect(panel.locator("h2")).to_have_text(name)
    expect(panel.locator(".chart .line")).to_be_attached()
    expect(panel.locator(".alert-list li").first).to_be_visible()
    second = panel.locator(".points button").nth(1)
    chosen = second.locator(".point-name").inner_text()
    second.click()
    expect(panel.locator("#course h3")).to_contain_text(chosen)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_a_domain_has_a_page_of_its_own(page: Page, seeded: Seeded) -> None:
    """Map, alerts and figures follow the chosen domain, and so does the address."""
    tabs = page.locator("#domains button")
    expect(tabs.first).to_have_text("综合")
    page.locator('#domains button[data-domain="air"]').click()
    expect(page).to_have_url(re.compile(r"[?&]domain=air\b"))
    expect(page.locator("#map .county.r4")).to_have_count(0)
    expect(page.locator("#alert-list .empty")).to_be_visible()
    expect(page.locator("#figures .card", has_text="plan.15")).to_be_visible()
    page.locator('#domains button[data-domain="waterlogging"]').click()
    worst = page.locator(f'#map .county[data-code="{seeded.county}"]')
    expect(worst).to_have_class(re.compile(r"\br4\b"))
    expect(page.locator("#figures .card", has_text="plan.15")).to_have_count(0)
    page.reload()
    expect(page.locator('#domains [aria-pressed="true"]')).to_have_attribute(
        "data-domain", "waterlogging"
    )


def test_a_county_says_what_each_domain_says_and_how_fresh(page: Page, seeded: Seeded) -> None:
    page.locator(f'#map .county[data-code="{seeded.county}"]').click(force=True)
    share = page.locator("#county .shares li").first
    expect(share.locator(".level")).to_have_text("红")
    expect(share).to_contain_text("20 秒")


def test_the_map_works_from_the_keyboard(page: Page) -> None:
    page.locator('#map .county[tabindex="0"]').focus()
    before = page.evaluate("document.activeElement.dataset.code")
    page.keyboard.press("ArrowRight")
    after = page.evaluate("document.activeElement.dataset.code")
    assert after != before
    page.keyboard.press("Enter")
    expect(page.locator("#county")).to_be_visible()


def test_a_county_can_be_chosen_from_a_list_and_left_by_keyboard(
    page: Page, seeded: Seeded
) -> None:
    page.locator("#county-pick").select_option(seeded.county)
    name = seeded.registry.areas[seeded.county].name
    expect(page.locator("#county h2")).to_have_text(name)
    expect(page.locator("#county")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#county")).to_be_hidden()
    expect(page.locator("#county-pick")).to_be_focused()
    expect(page.locator("#county-pick")).to_have_value("")


def test_the_first_tab_offers_to_skip_to_the_alerts(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#alerts")).to_be_focused()


def test_nothing_moves_for_who_wants_no_motion(page: Page) -> None:
    county = page.locator("#map .county").first
    moving = "e => getComputedStyle(e).transitionDuration"
    assert county.evaluate(moving) == "0.5s"
    page.emulate_media(reduced_motion="reduce")
    assert county.evaluate(moving) == "0s"


def test_axe_finds_nothing_in_an_opened_incident_of_one_domain(page: Page) -> None:
    page.locator('#domains button[data-domain="waterlogging"]').click()
    page.locator("#alert-list > li button").first.click()
    expect(page.locator("#alert-list .inside li .value").first).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("width", [1000, 1280, 1440, 1920])
def test_no_width_of_a_desk_scrolls_sideways(page: Page, pictures: Path, width: int) -> None:
    page.click("#language")
    page.set_viewport_size({"width": width, "height": 900})
    page.screenshot(path=pictures / f"width-{width}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_thumb_hits_every_button_of_a_phone(phone: Page) -> None:
    heights = phone.eval_on_selector_all(
        "button, select", "all => all.map(e => e.getBoundingClientRect().height).filter(h => h > 0)"
    )
    assert len(heights) > 10
    assert min(heights) >= 44


def test_a_phone_scrolls_in_one_direction_only(phone: Page) -> None:
    expect(phone.locator("#alert-list li").first).to_be_attached()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    expect(phone.locator("#banner")).to_be_visible()
