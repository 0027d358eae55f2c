"""Sets up a simulated Zhejiang in a namespace and plays a scenario into its log."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.city.progress import Reporter
from deploy.city.zhejiang.boundaries import Boundaries, load_boundaries
from deploy.city.zhejiang.build import build_registry
from deploy.var_dir import settings_here
from sensors.simulation import city
from sensors.simulation.faults import parse as read_faults
from sensors.simulation.play import Pace, Played, controls, entries, play
from sensors.simulation.scenario import SCENARIOS, Scenario, parse_start, players
from streams.catalog import Profile, Registry
from streams.contracts.domain import HOUR_MS, Domain
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.errors import Misconfigured
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.log import Log

ENDLESS_HOURS = 24 * 365.0
DEFAULT_HOURS = 24.0  # when nothing holds it back
PROFILE = Profile("zhejiang")


@dataclass(frozen=True, slots=True)
class Options:
    """What is to be played, checked."""

    scenario: Scenario
    namespace: str
    seed: int
    points: int
    speed: float | None  # None = as fast as it goes
    start_ms: int
    end_ms: int
    faults: tuple[str, ...]
    ahead: int  # records that may wait for the worker; 0 = any number
    fresh: bool
    dry_run: bool

    @staticmethod
    def parse(
        scenario: str,
        *,
        namespace: str,
        seed: int,
        points: int,
        speed: str,
        hours: float | None,
        faults: tuple[str, ...],
        start: str | None,
        ahead: int,
        fresh: bool,
        dry_run: bool,
    ) -> Options:
        """Raises `Misconfigured` with every mistake."""
        mistakes: list[str] = []
        found = SCENARIOS.get(scenario)
        if found is None:
            mistakes.append(f"scenario {scenario!r} is none of {', '.join(SCENARIOS)}")
        times = _number(speed, mistakes)
        start_ms = 0
        try:
            start_ms = parse_start(start or (found.start if found else "2026-01-01"))
        except ValueError as error:
            mistakes.append(f"--start {start}: {error}")
        try:
            read_faults(faults, seed, start_ms)
        except Misconfigured as error:
            mistakes += error.mistakes
        if hours is not None and hours <= 0:
            mistakes.append("--hours must be positive")
        if found is None or mistakes:
            raise Misconfigured(mistakes)
        lasts = hours or (DEFAULT_HOURS if times is None or dry_run else ENDLESS_HOURS)
        return Options(
            found,
            namespace,
            seed,
            points,
            times,
            start_ms,
            start_ms + round(lasts * HOUR_MS),
            (*found.faults, *faults),
            ahead,
            fresh,
            dry_run,
        )

    def steps(self, registry: Registry, domains: Iterable[Domain]) -> Iterator[city.Step]:
        """The play. Raises `Misconfigured` for faults that cannot be read."""
        spoilt = read_faults(self.faults, self.seed, self.start_ms)
        world = self.scenario.world(registry, self.seed, self.start_ms)
        return city.run(world, players(world, domains), spoilt, self.end_ms)


def simulate_city(options: Options) -> None:
    """Plays until the end or an interrupt. Raises `Misconfigured` and `Unavailable`."""
    settings = settings_here()
    boundaries = load_boundaries(settings.var_dir)
    domains = find_domains(settings.domain_path).values()
    registry = build_registry(
        boundaries, options.points, options.seed, settings.partitions, domains
    )
    steps = options.steps(registry, domains)
    reporter = Reporter(options.scenario.name, options.start_ms, options.end_ms)
    if options.dry_run:
        _report(reporter, _rehearse(steps, registry))
        return
    with _opened(settings, options, reporter) as (log, pace):
        prepare(settings, options, boundaries, registry, log)
        _report(reporter, play(steps, registry.partitions, log, pace))


def prepare(
    settings: Settings, options: Options, boundaries: Boundaries, registry: Registry, log: Log
) -> None:
    """Stores boundaries, registry, profile and the first rule set, and activates them where nothing
    was played yet."""
    from streams.storage.connect import connect, translated
    from streams.storage.registry import first_rules, save_profile, save_registry
    from streams.storage.shapes import save_shapes

    empty = [n for n in range(log.partitions()) if log.end(n) == log.first(n) == 0]
    if not empty:
        return
    with translated(), connect(settings.conninfo(), options.namespace) as connection:
        save_shapes(connection, boundaries.full, boundaries.sketch)
        numbered = save_registry(connection, registry)
        versions = {"registry": numbered.version, "profile": save_profile(connection, PROFILE)}
        versions["rules"] = first_rules(connection)
    for number in empty:
        log.append(number, controls(versions, options.start_ms))


@contextmanager
def _opened(settings: Settings, options: Options, reporter: Reporter) -> Iterator[tuple[Log, Pace]]:
    """The namespace made ready, its log, and a pace that asks its worker's position."""
    from streams.log.opening import drop_with_log, make_topics, open_log
    from streams.storage.connect import connect, translated
    from streams.storage.migrate import migrate
    from streams.storage.progress import records_behind

    conninfo = settings.conninfo()
    if options.fresh:
        drop_with_log(settings, options.namespace, conninfo)
    count, kept = settings.partitions, settings.log_kind()
    migrate(
        conninfo,
        options.namespace,
        NamespaceKind.SIMULATED,
        domains=find_domains(settings.domain_path),
        partitions=count,
        log=kept,
    )
    make_topics(settings, options.namespace, count, kept)
    log = open_log(settings, options.namespace)
    connection = connect(conninfo, options.namespace, "citybrain simulate", autocommit=True)

    def behind() -> int:
        with translated():
            return records_behind(connection, log)

    try:
        asked = behind if options.ahead else None
        yield (
            log,
            Pace(time.monotonic, time.sleep, options.speed, asked, options.ahead, reporter.stalled),
        )
    finally:
        connection.close()
        log.close()


def _rehearse(steps: Iterator[city.Step], registry: Registry) -> Iterator[Played]:
    done = Played()
    for step in steps:
        batch = entries(step, registry.partitions, registry.partition_count)
        done.now_ms = step.end_ms
        done.records += sum(len(records) for records in batch.values())
        done.readings += sum(len(frame) for frame in step.frames)
        yield done


def _report(reporter: Reporter, states: Iterator[Played]) -> None:
    with reporter:
        for played in states:
            reporter.tell(played)


def _number(speed: str, mistakes: list[str]) -> float | None:
    if speed == "max":
        return None
    try:
        value = float(speed)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        mistakes.append(f"--speed {speed} is neither a positive number nor max")
    return value
