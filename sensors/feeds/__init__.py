"""Feeds: recordings and archives of real sources, one file each, found by scanning."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

from sensors.feeds.feed import Feed
from streams.errors import Misconfigured


def find_feeds() -> Mapping[str, Feed]:
    """All feeds by name: every module of this folder that exports `FEED`.

    Raises `Misconfigured` when two files claim one name.
    """
    found: dict[str, Feed] = {}
    mistakes: list[str] = []
    for info in pkgutil.iter_modules(__path__):
        feed = getattr(importlib.import_module(f"{__name__}.{info.name}"), "FEED", None)
        if not isinstance(feed, Feed):
            continue
        if feed.name in found:
            mistakes.append(f"two feed files claim the name {feed.name!r}")
        found[feed.name] = feed
    if mistakes:
        raise Misconfigured(mistakes)
    return dict(sorted(found.items()))


def feed_named(name: str) -> Feed:
    """The feed of that name; `Misconfigured` says which there are."""
    feeds = find_feeds()
    if name not in feeds:
        raise Misconfigured([f"no feed {name!r}; there are: {', '.join(feeds)}"])
    return feeds[name]
