"""The start page during the typhoon, on the whole stack as `citybrain up` starts it.

One page is opened once, never reloaded, and looked at while the city floods, a gateway dies and the
server is lost. The tests are its timeline and run in their order.
"""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from deploy.process import wait_until
from tests.support.axe import violations
from tests.support.program import Program, program

pytest_plugins = ["tests.support.browser"]
pytestmark = [pytest.mark.browser, pytest.mark.acceptance, pytest.mark.integration]

DESK, PHONE = (1440, 900), (390, 844)
SETTINGS = {"PLAY_SPEED": "180", "PLAY_POINTS": "360"}  # minute 200 after 70 s
COUNTIES = 18  # that so many points fill; the others were never judged
FLOODED_MS = 60_000
GATEWAY_DIES_MS = 240_000
LOST_MS = 20_000  # CITYBRAIN_FRESH_LOST_S (9 s), and a busy machine
BACK_MS = 60_000  # the supervisor starts the API again, the page tries every 8 s at the latest


@dataclass
class Watch:
    """Who looks at which city."""

    city: Program
    page: Page
    play: subprocess.Popen[str]
    pictures: Path
    hatched: str = ""  # the county whose gateway died

    def picture(self, name: str) -> None:
        self.page.screenshot(path=self.pictures / f"{name}.png")

    def alerts(self, **asked: str) -> list[dict[str, Any]]:
        """What the API says to whoever looks."""
        answer = self.page.request.get("/v1/alerts", params={"namespace": "play", **asked})
        assert answer.ok
        found: list[dict[str, Any]] = answer.json()["items"]
        return found


@pytest.fixture(scope="module")
def city() -> Iterator[Program]:
    with program(**SETTINGS) as made:
        made.run("up")
        yield made


@pytest.fixture(scope="module")
def watch(city: Program, browser: Browser, pictures: Path) -> Iterator[Watch]:
    """Logged in by the link that is shown once, before the play begins."""
    link = re.search(r"http\S+#enter=\S+", city.run("account", "link", "admin"))
    assert link is not None
    context = browser.new_context(base_url=city.url, viewport={"width": DESK[0], "height": DESK[1]})
    page = context.new_page()
    page.goto(link[0])
    expect(page.locator("#state")).to_have_text("▲ 尚无数据")
    play = city.start("up", "--play", "typhoon")
    assert wait_until(lambda: "play" in namespaces(page), FLOODED_MS / 1000)
    page.goto("/?namespace=play")
    page.evaluate("window.marked = true")
    try:
        yield Watch(city, page, play, pictures)
    finally:
        city.let_go()
        play.kill()
        play.communicate()
        context.close()


def namespaces(page: Page) -> list[str]:
    answer = page.request.get("/v1/namespaces")
    return [item["name"] for item in answer.json()["items"]]


def state(page: Page) -> Locator:
    return page.locator("#state")


def turn(page: Page, size: tuple[int, int], language: str) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    if page.locator("html").get_attribute("lang") != language:
        page.locator("dialog[open] .language, body:not(:has(dialog[open])) #language").click()
    expect(page.locator("html")).to_have_attribute("lang", language)


def test_an_alert_appears_without_reload(watch: Watch) -> None:
    page = watch.page
    expect(page.locator("#alert-list .empty")).to_be_visible()
    expect(page.locator("#alert-list .level")).to_have_count(0)
    first = page.locator("#alert-list > li .level").first
    expect(first).to_be_visible(timeout=FLOODED_MS)
    expect(page.locator("#map .county:is(.r1, .r2, .r3, .r4)").first).to_be_attached()
    expect(page.locator("#map .county.none")).to_have_count(90 - COUNTIES)
    expect(page.locator("#banner")).to_contain_text("模拟 SIMULATED")
    expect(page.locator("#headline > li")).to_have_count(3)
    said, _ = watch.play.communicate(timeout=FLOODED_MS / 1000)
    assert watch.play.returncode == 0, said
    assert page.evaluate("window.marked") is True


def test_the_county_of_the_dead_gateway_is_hatched(watch: Watch) -> None:
    """Then the worker is held, so that the city stays as it is while we look around."""
    page = watch.page
    expect(page.locator("#map .hatch.on")).to_have_count(1, timeout=GATEWAY_DIES_MS)
    assert wait_until(lambda: bool(silent_gateways(watch)), 10.0, 0.2)
    watch.city.child("play-worker").signal(signal.SIGSTOP)
    (watch.hatched,) = {alert["area"] for alert in silent_gateways(watch)}
    county = page.locator(f'#map .county[data-code="{watch.hatched}"]')
    expect(county).to_have_attribute("aria-label", re.compile("未知"))
    expect(county).to_have_class(re.compile(r"\br[1-4]\b"))
    expect(page.locator("#map .hatch.on")).to_have_count(1)
    for size, device in ((DESK, "desk"), (PHONE, "phone")):
        for language in ("zh-CN", "en"):
            turn(page, size, language)
            watch.picture(f"{device}-{language}")
    assert page.evaluate("window.marked") is True


def silent_gateways(watch: Watch) -> list[dict[str, Any]]:
    return [alert for alert in watch.alerts(limit="1000") if "gateway:" in alert["subject"]]


def test_a_worker_that_is_held_is_told(watch: Watch) -> None:
    expect(state(watch.page)).to_have_text(re.compile("data stand still"), timeout=30_000)
    expect(watch.page.locator("#speed")).to_have_text("–")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_it_keeps_nobody_out(watch: Watch, size: tuple[int, int], language: str) -> None:
    """By axe-core, with and without a county, with its strip about old data; nothing to scroll
    sideways."""
    page = watch.page
    turn(page, size, language)
    found = violations(page)
    page.locator(f'#map .county[data-code="{watch.hatched}"]').press("Enter")
    expect(page.locator("#county .points button").first).to_be_visible()
    watch.picture(f"county-{size[0]}-{language}")
    found += violations(page)
    page.keyboard.press("Escape")
    expect(page.locator("#county")).to_be_hidden()
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_neither_does_the_login(watch: Watch, browser: Browser, size: tuple[int, int]) -> None:
    page = browser.new_page(base_url=watch.city.url)
    page.goto("/")
    for language in ("zh-CN", "en"):
        expect(page.locator("#login")).to_be_visible()
        turn(page, size, language)
        assert violations(page) == []
    page.close()


def test_a_held_server_is_noticed_and_followed_again(watch: Watch) -> None:
    """Its sockets stay open, so no error comes: what is missing is its heartbeat."""
    page = watch.page
    turn(page, DESK, "zh-CN")
    watch.city.child("play-worker").signal(signal.SIGCONT)
    expect(state(page)).to_have_text(re.compile("正常|追赶中"), timeout=BACK_MS)
    before = page.locator("#alert-list > li").count()
    watch.city.child("api").signal(signal.SIGSTOP)
    try:
        expect(state(page)).to_have_text("✕ 连接中断", timeout=LOST_MS)
        strip = page.locator("#trouble")
        expect(strip).to_contain_text(re.compile(r"自 \d\d:\d\d:\d\d 起（"))
        counted = strip.locator(".count").inner_text()
        expect(strip.locator(".count")).not_to_have_text(counted)
        expect(page.locator("body.old")).to_be_attached()
        assert page.locator("#alert-list > li").count() == before
        assert violations(page) == []
        watch.picture("lost")
    finally:
        watch.city.child("api").signal(signal.SIGCONT)
    expect(state(page)).to_have_text(re.compile("正常|追赶中"), timeout=BACK_MS)
    expect(page.locator("#trouble")).to_be_hidden()


def test_a_killed_server_is_noticed_at_once_and_followed_again(watch: Watch) -> None:
    page = watch.page
    page.evaluate(
        "new MutationObserver(() => { window.told = [...(window.told ?? []), "
        "document.querySelector('#state').textContent]; })"
        ".observe(document.querySelector('#state'), { childList: true })"
    )
    killed = watch.city.child("api")
    killed.signal(signal.SIGKILL)
    assert wait_until(lambda: "✕ 连接中断" in page.evaluate("window.told ?? []"), LOST_MS / 1000)
    expect(state(page)).to_have_text(re.compile("正常|追赶中"), timeout=BACK_MS)
    assert watch.city.child("api") != killed
    assert page.evaluate("window.marked") is True
