"""One suite over every feed: what a file in `sensors/feeds` owes the replay."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensors.feeds import feed_named, find_feeds
from sensors.feeds.feed import Feed, Gazetteer, Refused, Row
from streams.domains import find_domains
from streams.errors import Misconfigured

FEEDS = list(find_feeds().values())


def empty_file(feed: Feed, folder: Path, *lines: str) -> Path:
    """A readings file of the feed with its header, and lines that fit nothing."""
    (kind,) = [k for k in feed.files if k.role == "readings"]
    path = folder / "rows.csv"
    path.write_text("\n".join([",".join(kind.columns), *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(params=FEEDS, ids=lambda f: f.name)
def feed(request: pytest.FixtureRequest) -> Feed:
    assert isinstance(request.param, Feed)
    return request.param


def test_the_sources_are_found() -> None:
    assert [f.name for f in FEEDS] == ["aarhus", "cnemc_2020", "cnemc_2026", "floodnet", "prsa"]


def test_an_unknown_feed_says_which_there_are() -> None:
    with pytest.raises(Misconfigured, match=r"cnemc_2020.*prsa"):
        feed_named("nothing")


def test_its_name_is_its_file(feed: Feed) -> None:
    assert find_feeds()[feed.name] is feed
    assert feed.read.__module__ == f"sensors.feeds.{feed.name}"


def test_its_domain_knows_its_properties(feed: Feed) -> None:
    domain = find_domains().get(feed.domain)
    if domain is None:
        pytest.fail(f"no domain {feed.domain}")
    assert set(feed.properties) <= {p.name for p in domain.properties}


def test_it_needs_a_readings_file_and_names_its_columns(feed: Feed) -> None:
    needed = [k for k in feed.files if k.needed]
    assert [k.role for k in needed] == ["readings"]
    assert all(k.columns for k in feed.files)
    assert {k.role for k in feed.files} <= {"readings", "stations", "published"}


def test_an_empty_file_gives_no_rows_and_no_registry(feed: Feed, tmp_path: Path) -> None:
    path = empty_file(feed, tmp_path)
    assert list(feed.read(path)) == []
    files = {kind.role: [path] if kind.role == "readings" else [] for kind in feed.files}
    assert feed.registry(files, Gazetteer()).sensors == ()


def test_nonsense_is_refused_line_by_line(feed: Feed, tmp_path: Path) -> None:
    (kind,) = [k for k in feed.files if k.role == "readings"]
    nonsense = ",".join("nonsense" for _ in kind.columns)
    found = list(feed.read(empty_file(feed, tmp_path, nonsense, "short", nonsense)))
    assert [f.line for f in found] == [2, 3, 4]
    assert all(isinstance(f, Refused) and f.detail for f in found)
    assert not any(isinstance(f, Row) for f in found)


def test_every_reading_can_be_registered(feed: Feed) -> None:
    assert feed.source.startswith("feed.")
    assert -12 <= feed.utc_offset_hours <= 14
    assert feed.delay_s >= 0
    assert feed.title.zh
    assert feed.title.en
