"""The var folder: found from the settings, made absolute, and emptied of what is ours."""

from __future__ import annotations

import shutil
from pathlib import Path

from streams.settings import Settings, load_settings

OURS = (
    "cache",
    "compose.env",
    "database.conninfo",
    "database.lock",
    "grafana",
    "infra.json",
    "kafka",
    "kafka.lock",
    "log",
    "plan.json",
    "postgres",
    "run",
    "supervisor.json",
    "supervisor.lock",
    "supervisor.pid",
    "timescale",
    "timescale.password",
)


def settings_here() -> Settings:
    """The settings with an absolute var folder and the addresses of what runs for it.

    `Misconfigured` lists all mistakes.
    """
    from deploy.infrastructure import with_addresses

    return with_addresses(given_settings())


def given_settings() -> Settings:
    """The settings as they are given, with an absolute var folder."""
    settings = load_settings()
    return settings.model_copy(update={"var_dir": settings.var_dir.resolve()})


def purge(var_dir: Path) -> None:
    """Removes what citybrain keeps in the folder, and the folder when nothing else is in it."""
    for name in OURS:
        path = var_dir / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if var_dir.is_dir() and not any(var_dir.iterdir()):
        var_dir.rmdir()
