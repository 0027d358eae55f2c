"""The start page says by itself when what it shows is no longer the present, and recovers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from psycopg import sql

from api.access.guard import COOKIE
from api.access.role import ALL, Role
from api.freshness import FreshnessSettings
from streams.contracts.reason import NamespaceKind
from tests.support.admission import api_served, make_account, make_session
from tests.support.seed import seed
from tests.support.seed_domains import DOMAINS
from tests.support.seed_figures import AS_OF

pytest_plugins = ["tests.support.browser"]
pytestmark = [pytest.mark.browser, pytest.mark.integration]

PATIENCE = FreshnessSettings.model_construct(lost_s=3.0, standing_slow_s=60.0, standing_bad_s=90.0)
NOT_RELOADED = "window.marked = true"


@pytest.fixture
def city(database_url: str, namespace: str, tmp_path: Path) -> str:
    """A live namespace whose newest record has just been processed."""
    seed(database_url, namespace, tmp_path, NamespaceKind.LIVE)
    taken_ago(database_url, namespace, 0)
    make_account(database_url, namespace, "onlooker", (Role.VIEWER, ALL))
    return namespace


@pytest.fixture
def client(database_url: str, city: str) -> Iterator[httpx.Client]:
    with api_served(database_url, city, DOMAINS, poll_s=0.1, patience=PATIENCE) as client:
        yield client


@pytest.fixture
def page(browser: Browser, client: httpx.Client, database_url: str, city: str) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    session = make_session(database_url, city, "onlooker")
    page.context.add_cookies([{"name": COOKIE, "value": session, "url": str(client.base_url)}])
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.clock.install()
    page.goto(str(client.base_url))
    expect(state(page)).to_have_text("● 正常")
    page.evaluate(NOT_RELOADED)
    yield page
    assert page.evaluate("window.marked") is True
    page.close()
    assert trouble == []


def state(page: Page) -> Locator:
    return page.locator("#state")


def change(conninfo: str, namespace: str, table: str, column: str, value: Any) -> None:
    statement = sql.SQL("update {} set {} = %s").format(
        sql.Identifier(namespace, table), sql.Identifier(column)
    )
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(statement, (value,))


def taken_ago(conninfo: str, namespace: str, seconds: float) -> None:
    """As if the newest processed record had come into the log so long ago."""
    change(conninfo, namespace, "position", "last_append_ms", round((time.time() - seconds) * 1000))


def test_a_dead_worker_turns_the_page_slow_then_bad_and_back(
    page: Page, database_url: str, city: str
) -> None:
    strip = page.locator("#trouble")
    expect(strip).to_be_hidden()
    taken_ago(database_url, city, PATIENCE.standing_slow_s + 5)
    expect(state(page)).to_have_text("▲ 数据停止更新")
    expect(state(page)).to_have_class("slow")
    expect(page.locator("#speed")).to_have_text("–")
    taken_ago(database_url, city, PATIENCE.standing_bad_s + 60)
    expect(state(page)).to_have_text("✕ 数据停止更新")
    expect(page.locator("body.old")).to_be_attached()
    expect(strip).to_contain_text("没有新记录被处理")
    expect(strip.locator(".count")).to_contain_text("2 分")
    expect(page.locator("#map .county")).to_have_count(90)
    taken_ago(database_url, city, 0)
    expect(state(page)).to_have_text("● 正常")
    expect(strip).to_be_hidden()
    expect(page.locator("body.old")).to_have_count(0)


def test_a_silent_feed_is_told_by_the_clock_of_the_namespace(
    page: Page, database_url: str, city: str
) -> None:
    def newest(seconds: float) -> None:
        change(database_url, city, "area_latest", "as_of", AS_OF - timedelta(seconds=seconds))

    newest(PATIENCE.silent_slow_s + 1)
    expect(state(page)).to_have_text("▲ 数据源静默")
    newest(PATIENCE.silent_bad_s + 1)
    expect(state(page)).to_have_text("✕ 数据源静默")
    expect(page.locator("#trouble .count")).to_have_text("30 分 1 秒")


def test_newest_data_of_a_live_city_go_on_ageing(page: Page) -> None:
    """Seeded in 2024, looked at now: two years old, not the twenty seconds of its own clock."""
    expect(page.locator("#age")).to_have_text(
        f"{int((time.time() - AS_OF.timestamp()) // 86400)} 天"
    )


def test_a_database_that_hangs_is_told_apart_from_a_lost_server(
    page: Page, database_url: str, city: str
) -> None:
    with psycopg.connect(database_url) as connection:
        where = sql.Identifier(city, "area_risk")
        connection.execute(sql.SQL("lock table {} in access exclusive mode").format(where))
        expect(state(page)).to_have_text("✕ 数据库无应答", timeout=15_000)
        connection.rollback()
    taken_ago(database_url, city, 0)
    expect(state(page)).to_have_text("● 正常", timeout=15_000)


def test_a_computer_that_slept_notices_and_comes_back(page: Page) -> None:
    """Nothing was heard for an hour, and no error came: the page looks at the clock."""
    with page.expect_request(lambda request: "/v1/live" in request.url):
        page.evaluate(
            "new MutationObserver(() => { window.told = (window.told ?? '') + "
            "document.querySelector('#state').textContent; })"
            ".observe(document.querySelector('#state'), { childList: true })"
        )
        page.clock.fast_forward("01:00:00")
    expect(state(page)).to_have_text("● 正常", timeout=15_000)
    assert "✕ 连接中断" in page.evaluate("window.told")
