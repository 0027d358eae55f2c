"""Verifications of real recordings for the acceptance tests: one run, looked at from many sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from deploy.commands.replay import zhejiang
from sensors.feeds import feed_named
from sensors.feeds.replay import Prepared, Request, prepare
from sensors.feeds.tally import Period
from sensors.feeds.verification import Verdict, verify
from streams.settings import Settings
from streams.storage.migrate import drop_namespace
from streams.storage.stored import StoredRun


@dataclass(frozen=True)
class Verified:
    """A verification whose schema is still there."""

    prepared: Prepared
    verdict: Verdict
    run: StoredRun


@contextmanager
def verified(
    conninfo: str,
    var_dir: Path,
    feed: str,
    paths: tuple[Path, ...],
    *,
    shuffle: int | None = None,
    duplicate: float = 0.0,
    settings: Mapping[str, str] = MappingProxyType({}),
    period: Period | None = None,
) -> Iterator[Verified]:
    """Runs it in a schema named after its arguments; drops the schema afterwards."""
    source = feed_named(feed)
    request = Request(
        feed=source,
        paths=paths,
        period=period or Period(),
        shuffle=shuffle,
        duplicate=duplicate,
        settings=settings,
        gazetteer=zhejiang(Settings(var_dir=var_dir), source),
    )
    prepared = prepare(request)
    namespace = f"verify_{feed}_{'plain' if shuffle is None else 'upset'}"
    try:
        verdict = verify(prepared, conninfo, namespace, keep=True)
        yield Verified(prepared, verdict, StoredRun(conninfo, namespace))
    finally:
        drop_namespace(conninfo, namespace)
