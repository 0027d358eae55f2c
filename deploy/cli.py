"""The `citybrain` command: finds its verbs in `deploy/commands` and turns errors into exit codes.

0 done · 1 a bug, or a check that failed · 2 a mistake in the call or the settings, all of them
listed · 3 something that is needed does not answer · 130 interrupted. Each verb is a module that
exports `register(app)`; it imports what is heavy only when it is called.
"""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence

import typer

from deploy import commands
from streams.errors import Misconfigured, Unavailable

EXIT_BUG = 1
EXIT_MISCONFIGURED = 2
EXIT_UNAVAILABLE = 3
EXIT_INTERRUPTED = 130


def build() -> typer.Typer:
    """The application with every verb that is found."""
    app = typer.Typer(
        name="citybrain",
        help="An open city brain: from a sensor to a stored alert and indicator.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_prepare)
    for module in sorted(pkgutil.iter_modules(commands.__path__), key=lambda found: found.name):
        importlib.import_module(f"{commands.__name__}.{module.name}").register(app)
    return app


def run(arguments: Sequence[str], app: typer.Typer | None = None) -> int:
    """Runs one call; returns its exit code and never raises."""
    command = typer.main.get_command(app if app is not None else build())
    try:
        command.main(args=list(arguments), prog_name="citybrain")
    except SystemExit as end:
        return _exit_code(end)
    except Misconfigured as error:
        return _told(EXIT_MISCONFIGURED, *(f"error: {mistake}" for mistake in error.mistakes))
    except Unavailable as error:
        return _told(EXIT_UNAVAILABLE, f"unavailable: {error}")
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception:
        traceback.print_exc()
        return _told(EXIT_BUG, "this is a bug in citybrain: please report the lines above")
    return 0


def main() -> None:
    """Entry point of the installed command."""
    sys.exit(run(sys.argv[1:]))


def _prepare() -> None:
    level = os.environ.get("CITYBRAIN_LOG_LEVEL", "INFO")
    logging.basicConfig(
        stream=sys.stderr,
        level=level if level in logging.getLevelNamesMapping() else "INFO",
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    if logging.getLogger().level > logging.DEBUG:
        logging.getLogger("kafka").setLevel(logging.WARNING)  # its INFO tells every connection


def _exit_code(end: SystemExit) -> int:
    if end.code is None:
        return 0
    return end.code if isinstance(end.code, int) else EXIT_BUG


def _told(code: int, *lines: str) -> int:
    for line in lines:
        print(line, file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
