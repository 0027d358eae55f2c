"""Logging in on the start page: by form and by link, again when the session ends, by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect
from psycopg import sql

from api.access import password, secret
from api.access.role import ALL, Role
from api.actions import accounts
from tests.support.admission import PASSWORD, act, by, make_account
from tests.support.seed import Seeded

pytest_plugins = ["tests.support.seeded", "tests.support.browser"]
pytestmark = [pytest.mark.browser, pytest.mark.integration]

FIRST = "made by somebody else"
NEW = "a quite different phrase"


@pytest.fixture(scope="module")
def people(database_url: str, seeded: Seeded) -> Seeded:
    """`viewer` sees everything, `county` the worst county, `newcomer` must change the password."""
    make_account(database_url, seeded.namespace, "viewer", (Role.VIEWER, ALL))
    make_account(database_url, seeded.namespace, "county", (Role.OPERATOR, seeded.county))
    make_account(database_url, seeded.namespace, "newcomer", (Role.VIEWER, ALL))
    first = password.hashed(FIRST)
    act(
        database_url,
        seeded.namespace,
        lambda desk: accounts.set_password(desk, "newcomer", first, by(), must_change=True),
    )
    return seeded


@pytest.fixture
def page(browser: Browser, client: httpx.Client, people: Seeded) -> Iterator[Page]:
    """The start page as a stranger sees it; errors in its scripts fail the test."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(str(client.base_url))
    yield page
    page.close()
    assert trouble == []


def log_in(page: Page, login: str, word: str = PASSWORD) -> None:
    """By keyboard alone: the first field has the focus."""
    expect(page.locator("#login-name")).to_be_focused()
    page.keyboard.type(login)
    page.keyboard.press("Tab")
    page.keyboard.type(word)
    page.keyboard.press("Enter")


def test_a_stranger_sees_a_form_and_no_data(page: Page) -> None:
    expect(page.locator("#login")).to_be_visible()
    expect(page.locator("#login-title")).to_have_text("登录")
    expect(page.locator("#map .county")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("#login")).to_be_visible()
    page.click("#login-language")
    expect(page.locator("#login-title")).to_have_text("Log in")
    page.click("#login-language")


def test_a_person_logs_in_sees_the_city_and_logs_out(page: Page) -> None:
    log_in(page, "viewer", "wrong password")
    expect(page.locator("#login-told")).to_have_text("账号或密码不正确。")
    page.locator("#login-password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#login")).to_be_hidden()
    expect(page.locator("#state")).to_have_class("ok")
    expect(page.locator("#map .county")).to_have_count(90)
    expect(page.locator("#who")).to_contain_text("viewer")
    expect(page.locator("#who")).to_contain_text("查看 全部")
    page.reload()
    expect(page.locator("#state")).to_have_class("ok")
    page.click("#logout")
    expect(page.locator("#login")).to_be_visible()
    expect(page.locator("#map .county")).to_have_count(0)


def test_a_county_sees_the_map_and_only_its_own_alerts(page: Page, people: Seeded) -> None:
    log_in(page, "county")
    expect(page.locator("#state")).to_have_class("ok")
    expect(page.locator("#map .county")).to_have_count(90)
    expect(page.locator("#who")).to_contain_text(f"值班 {people.county}")
    name = people.registry.areas[people.county].name
    rows = page.locator("#alert-list li")
    expect(rows.first).to_contain_text(name)
    assert all(name in text for text in rows.all_inner_texts())


def test_a_session_that_ends_is_renewed_over_the_page(
    page: Page, database_url: str, people: Seeded
) -> None:
    log_in(page, "viewer")
    expect(page.locator("#state")).to_have_class("ok")
    page.locator(f'#map .county[data-code="{people.county}"]').click(force=True)
    expect(page.locator("#county")).to_be_visible()
    with psycopg.connect(database_url, autocommit=True) as connection:
        where = sql.Identifier(people.namespace, "session")
        connection.execute(sql.SQL("delete from {}").format(where))
    expect(page.locator("#login")).to_be_visible(timeout=20_000)
    expect(page.locator("#county")).to_be_attached()
    expect(page.locator("#login-name")).to_have_value("viewer")
    expect(page.locator("#login-password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#login")).to_be_hidden()
    expect(page.locator("#state")).to_have_class("ok", timeout=20_000)
    expect(page.locator("#county")).to_be_visible()


def test_a_newcomer_changes_the_password_first(page: Page) -> None:
    log_in(page, "newcomer", FIRST)
    expect(page.locator("#login-title")).to_have_text("请先修改密码")
    expect(page.locator("#password-new")).to_be_focused()
    page.keyboard.type(NEW)
    page.keyboard.press("Tab")
    page.keyboard.type("something else here")
    page.keyboard.press("Enter")
    expect(page.locator("#login-told")).to_have_text("两次输入的新密码不一致。")
    page.locator("#password-again").fill(NEW)
    page.keyboard.press("Enter")
    expect(page.locator("#login")).to_be_hidden()
    expect(page.locator("#state")).to_have_class("ok")


def test_a_link_lets_in_and_leaves_the_address(
    browser: Browser, client: httpx.Client, database_url: str, people: Seeded
) -> None:
    token = secret.make_token()
    lasts = timedelta(minutes=5)
    act(
        database_url,
        people.namespace,
        lambda desk: accounts.make_link(desk, "viewer", secret.digest(token), by(), lasts),
    )
    link = f"{client.base_url}/#enter={token}"
    page = browser.new_page()
    page.goto(link)
    expect(page.locator("#state")).to_have_class("ok")
    assert token not in page.url
    page.close()
    again = browser.new_page()
    again.goto(link)
    expect(again.locator("#login-told")).to_have_text("此链接已使用或已过期。")
    again.close()


def test_the_form_fits_a_phone(browser: Browser, client: httpx.Client, people: Seeded) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(str(client.base_url))
    box = page.locator("#login").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.close()
