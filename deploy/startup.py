"""The way of `citybrain up`: database, schemas, supervisor, and waiting until each part works."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from deploy import infrastructure, service
from deploy.health import port_is_taken, status_of
from deploy.infrastructure import Infra
from deploy.logfile import last_lines
from deploy.plan import LIVE_NAMESPACE, PLAY_NAMESPACE, SCENARIOS, PlayPace, make_plan
from deploy.process import wait_until
from deploy.supervisor import leftovers
from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings

SERVICE_TIMEOUT_S = 120.0
PLAY_TIMEOUT_S = 120.0
POLL_S = 0.2
CRASHES_TO_GIVE_UP = 3


@dataclass
class Milestones:
    """Says what has been reached and how long after the start, in seconds."""

    say: Callable[[str], None]
    begun: float = field(default_factory=time.monotonic)

    def reached(self, what: str) -> None:
        """Prints one milestone."""
        self.say(f"{time.monotonic() - self.begun:6.1f} s  {what}")


def check(settings: Settings, infra: str | None, play: str | None) -> Infra:
    """Refuses what cannot work, listing all mistakes, before anything is started.

    Gives the infrastructure that is meant: what is said, else what this folder had last.
    """
    mistakes = []
    kinds = [kind.value for kind in Infra]
    before = infrastructure.chosen(settings.var_dir)
    meant = before or Infra.EMBEDDED
    if infra is not None and infra not in kinds:
        mistakes.append(f"--infra {infra}: there are {', '.join(kinds)}")
    else:
        meant = Infra(infra) if infra is not None else meant
        mistakes += _wrong_addresses(settings, meant)
    if before not in (None, meant) and _runs(settings, before):
        mistakes.append(f"--infra {meant}: {before} runs here; `citybrain down` first")
    if play is not None and play not in SCENARIOS:
        mistakes.append(f"--play {play}: there are {', '.join(SCENARIOS)}")
    free_expected = service.running(settings.var_dir) is None and not leftovers(settings.var_dir)
    if not mistakes and free_expected:
        mistakes += _taken_ports(settings)
    if mistakes:
        raise Misconfigured(mistakes)
    return meant


def start_all(settings: Settings, infra: Infra, play: str | None, steps: Milestones) -> None:
    """Everything, in order; may be repeated at any time; what is played already goes on.

    `Unavailable` names what did not come.
    """
    var_dir = settings.var_dir
    (var_dir / "log").mkdir(parents=True, exist_ok=True)
    infrastructure.remember(var_dir, infra)
    play = play or service.played(var_dir)
    addresses = infrastructure.start(infra, settings, steps.reached)
    told: dict[str, object] = {"kafka": addresses.kafka}
    if addresses.reader_password is not None:
        told["reader_password"] = SecretStr(addresses.reader_password)
    settings = settings.model_copy(update=told)
    _migrate(addresses.database, settings, play)
    steps.reached("schemas ready")
    ours = addresses.kafka if infra in (Infra.NATIVE, Infra.COMPOSE) else None
    pace = PlayPace(settings.play_speed, settings.play_points)
    plan = make_plan(play, gateway_keys(settings), ours, pace)
    service.ensure(var_dir, plan, infra)
    _wait_for_api(settings, play, steps)
    _wait_for_gateway(settings, steps)
    _wait_for_worker(addresses.database, settings, LIVE_NAMESPACE, steps)
    if play is not None:
        _wait_for_worker(addresses.database, settings, PLAY_NAMESPACE, steps)
        _wait_for_play(addresses.database, settings, steps)


def page_url(settings: Settings, play: str | None) -> str:
    """Where a person looks."""
    url = f"http://{settings.api_host}:{settings.api_port}/"
    return url if play is None else f"{url}?namespace={PLAY_NAMESPACE}"


def gateway_keys(settings: Settings) -> str:
    """Whether the gateway needs keys: as the environment says, else not on loopback.

    Then a newcomer's `make up` and the calls of the documents work; whoever lets others reach the
    gateway gets `required` without asking.
    """
    from sensors.gateway.settings import KeyRule, is_loopback

    said = os.environ.get("CITYBRAIN_GATEWAY_KEYS")
    if said:
        return said
    return str(KeyRule.OPTIONAL if is_loopback(settings.gateway_host) else KeyRule.REQUIRED)


def _wrong_addresses(settings: Settings, infra: Infra) -> list[str]:
    """Addresses that are missing, or that contradict what is to be started."""
    if infra is Infra.EXTERNAL:
        if settings.database:
            return []
        return ["--infra external needs CITYBRAIN_DATABASE, a libpq connection string"]
    given = {"CITYBRAIN_DATABASE": settings.database}
    if infra is not Infra.EMBEDDED:
        given["CITYBRAIN_KAFKA"] = settings.kafka
    return [f"{name} is set: unset it, or use --infra external" for name in given if given[name]]


def _runs(settings: Settings, infra: Infra) -> bool:
    ours = infrastructure.servers(infra, settings.var_dir)
    return service.running(settings.var_dir) is not None or any(s.process() for s in ours)


def _taken_ports(settings: Settings) -> list[str]:
    wanted = {
        "CITYBRAIN_API_PORT": (settings.api_host, settings.api_port),
        "CITYBRAIN_GATEWAY_PORT": (settings.gateway_host, settings.gateway_port),
    }
    return [
        f"port {port} of {host} is taken by another program: set {name} to a free one"
        for name, (host, port) in wanted.items()
        if port_is_taken(host, port)
    ]


def _migrate(conninfo: str, settings: Settings, play: str | None) -> None:
    from deploy.live_city import ensure_areas
    from streams.contracts.reason import NamespaceKind
    from streams.log.opening import make_topics
    from streams.storage.keeping import Keeping
    from streams.storage.migrate import migrate

    count, log = settings.partitions, settings.log_kind()
    keeping = Keeping.of(settings)
    live = NamespaceKind.LIVE
    password = settings.plain_reader_password()
    migrate(
        conninfo,
        LIVE_NAMESPACE,
        live,
        partitions=count,
        log=log,
        keeping=keeping,
        reader_password=password,
    )
    make_topics(settings, LIVE_NAMESPACE, count, log)
    ensure_areas(conninfo, LIVE_NAMESPACE, settings, lambda: int(time.time() * 1000))
    if play is not None:
        migrate(conninfo, PLAY_NAMESPACE, NamespaceKind.SIMULATED, partitions=count, log=log)
        make_topics(settings, PLAY_NAMESPACE, count, log)


def _wait_for_api(settings: Settings, play: str | None, steps: Milestones) -> None:
    def answers() -> bool:
        return status_of(settings.api_host, settings.api_port, "/v1/session") == 200

    _wait(answers, "api", "the API does not answer", settings.var_dir)
    steps.reached(f"API answering: {page_url(settings, play)}")


def _wait_for_gateway(settings: Settings, steps: Milestones) -> None:
    def answers() -> bool:
        return status_of(settings.gateway_host, settings.gateway_port, "/health") is not None

    _wait(answers, "gateway", "the gateway does not answer", settings.var_dir)
    steps.reached(f"gateway answering: http://{settings.gateway_host}:{settings.gateway_port}/")


def _wait_for_worker(conninfo: str, settings: Settings, namespace: str, steps: Milestones) -> None:
    from streams.storage.survey import survey

    def turns() -> bool:
        for found in survey(conninfo):
            if found.namespace == namespace:
                return 0 < found.partitions == found.owned and found.position > 0
        return False

    child = "worker" if namespace == LIVE_NAMESPACE else "play-worker"
    _wait(turns, child, f"the worker of {namespace} does not turn", settings.var_dir)
    steps.reached(f"worker of {namespace} turning")


def _wait_for_play(conninfo: str, settings: Settings, steps: Milestones) -> None:
    from streams.storage.survey import Survey, survey

    def play() -> Survey:
        return next(s for s in survey(conninfo) if s.namespace == PLAY_NAMESPACE)

    deadline = time.monotonic() + PLAY_TIMEOUT_S
    for what, reached in (
        ("first reading stored", lambda: play().stored > 0),
        ("first alert open", lambda: play().alerts > 0),
    ):
        left = max(0.0, deadline - time.monotonic())
        _wait(reached, "play-simulator", f"no {what}", settings.var_dir, left)
        steps.reached(what)


def _restarts(var_dir: Path, child: str) -> int:
    return sum(state.restarts for state in service.states(var_dir) if state.name == child)


def _wait(
    condition: Callable[[], bool],
    child: str,
    complaint: str,
    var_dir: Path,
    timeout_s: float = SERVICE_TIMEOUT_S,
) -> None:
    """Polls; a child that keeps crashing, or silence, ends in `Unavailable` with its last words."""
    crashed = False
    restarts_before = _restarts(var_dir, child)

    def done() -> bool:
        nonlocal crashed
        crashed = _restarts(var_dir, child) - restarts_before >= CRASHES_TO_GIVE_UP
        return crashed or condition()

    if wait_until(done, timeout_s, POLL_S) and not crashed:
        return
    log = var_dir / "log" / f"{child}.log"
    words = "\n".join(last_lines(log, 15))
    raise Unavailable(
        f"{complaint} after {timeout_s:.0f} s; see {log}, and try `citybrain doctor`\n{words}"
        if not crashed
        else f"{complaint}: it crashes again and again; see {log}\n{words}"
    )
