"""What `citybrain dashboards` does, beside the command line: make, write, check, ask, draw."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from streams.contracts.domain import Domain
from streams.errors import Misconfigured
from streams.settings import Settings

if TYPE_CHECKING:
    from dashboards.grafana.ask import Asked
    from dashboards.grafana.model import Board
    from dashboards.grafana.settings import GrafanaSettings

EXTRA = "install them: pip install 'citybrain[grafana]'"
FOLDER = "grafana"  # in the var folder
SLOWEST = 5
NEWEST = "select max(as_of) from {}.board_freshness"


@dataclass(frozen=True, slots=True)
class Made:
    """The boards of a namespace with their JSON."""

    core: Settings
    settings: GrafanaSettings
    namespace: str
    domains: dict[str, Domain]
    numbers: dict[str, str]  # a city's own, by key
    models: tuple[tuple[Board, dict[str, Any]], ...]


def installed() -> bool:
    """Whether Grafana's packages are there."""
    return importlib.util.find_spec("grafana_foundation_sdk") is not None


def provision(core: Settings) -> None:
    """The files for the Grafana of `--infra compose`, into the var folder, old ones gone."""
    folder = core.var_dir / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    list(write(make(core, core.namespace), folder, provisioning=True))


def make(core: Settings, namespace: str, *, stored: bool = False) -> Made:
    """All dashboards of a namespace; `stored`: thresholds at the numbers of the profile that was
    saved last. `Misconfigured`: Grafana's packages are not installed."""
    if not installed():
        raise Misconfigured([f"Grafana's packages are missing: {EXTRA}"])
    from dashboards.grafana.assemble import Place, assemble
    from dashboards.grafana.boards import boards
    from dashboards.grafana.settings import load_grafana_settings
    from streams.domains import find_domains

    own = load_grafana_settings()
    domains = dict(find_domains(core.domain_path))
    place = Place(namespace, own.datasource, own.api.rstrip("/"))
    numbers = _stored_numbers(core, namespace) if stored else {}
    made = boards(domains, namespace, numbers)
    models = tuple((board, assemble(board, place)) for board in made)
    return Made(core, own, namespace, domains, numbers, models)


def write(made: Made, folder: Path, *, provisioning: bool) -> Iterator[Path]:
    """Writes the files; tells each."""
    from dashboards.grafana.assemble import written

    for _, model in made.models:
        yield _put(folder / "dashboards" / f"{model['uid']}.json", written(model))
    if provisioning:
        from dashboards.grafana import provisioning as files
        from deploy.city.zhejiang.boundaries import load_boundaries

        for name, text in files.files(made.settings).items():
            yield _put(folder / "provisioning" / name, text)
        sketch = load_boundaries(made.core.var_dir).sketch
        yield _put(folder / "public" / "areas.geojson", files.borders(sketch))


def mistakes(made: Made, schema: Path | None) -> list[str]:
    """What is wrong with the JSON."""
    from dashboards.grafana import checks

    found = checks.mistakes(made.models, made.domains, made.numbers)
    if schema is None:
        return found
    try:
        wanted = json.loads(schema.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Misconfigured([f"{schema} cannot be read as JSON: {error}"]) from error
    return found + [
        f"{model['uid']}: {what}"
        for _, model in made.models
        for what in checks.schema_mistakes(model, wanted)
    ]


def ask(made: Made, hours: float, until: str | None) -> list[Asked]:
    """Every query's answer, over the hours up to a moment; without one, up to the newest data."""
    from dashboards.grafana.ask import ask_all
    from dashboards.grafana.macros import TimeRange
    from streams.storage.boards import reading

    with reading(made.core.conninfo(), made.namespace) as session:
        end = _moment(until) if until else None
        if end is None:
            answer = session.ask(NEWEST.format(made.namespace))
            if answer.error is not None or not answer.rows or answer.rows[0][0] is None:
                raise Misconfigured(
                    [f"namespace {made.namespace} holds no data: {answer.error or 'no area yet'}"]
                )
            end = answer.rows[0][0]
        seen = TimeRange(end - timedelta(hours=hours), end)
        return [each for board, _ in made.models for each in ask_all(board, session, seen)]


def query_mistakes(asked: Sequence[Asked]) -> list[str]:
    """What is wrong with the answers; an empty one may be right."""
    return [what for each in asked for what in each.mistakes(busy=False)]


def slowest(asked: Sequence[Asked]) -> list[str]:
    """The queries that took longest, for people."""
    first = sorted(asked, key=lambda each: -each.ms)[:SLOWEST]
    return [f"{e.ms:7.0f} ms  {e.board.slug}: {e.panel.title.en}" for e in first]


def draw(asked: Sequence[Asked], out: Path) -> Iterator[Path]:
    """One picture per panel. `Misconfigured`: matplotlib is not installed."""
    if importlib.util.find_spec("matplotlib") is None:
        raise Misconfigured(["matplotlib is missing: pip install matplotlib"])
    from dashboards.grafana.picture import draw as draw_one

    out.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(asked, 1):
        path = out / f"{each.board.slug}-{number:03d}.png"
        draw_one(each, path)
        yield path


def _stored_numbers(core: Settings, namespace: str) -> dict[str, str]:
    from streams.catalog import Profile
    from streams.storage.connect import connect, translated
    from streams.storage.migrate import is_there
    from streams.storage.registry import newest

    with translated(), connect(core.conninfo(), namespace, "citybrain dashboards") as connection:
        if not is_there(connection):
            raise Misconfigured([f"namespace {namespace} does not exist: citybrain migrate"])
        found = newest(connection, "profile")
    return dict(Profile.from_dict(found[1]).values) if found else {}


def _put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Misconfigured([f"--until {text}: {error}"]) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo("Asia/Shanghai"))
