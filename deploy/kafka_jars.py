"""The jars of Apache Kafka: fetched once by Maven, checked against `kafka_jars.json`.

The folder is replaced as a whole, so a download that was cut off is never seen; a jar that was
damaged later is found at the next start, and all are fetched again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypedDict

from deploy.cache_dir import cache_dir, locked
from streams.errors import Misconfigured, Unavailable

_LIST = Path(__file__).with_name("kafka_jars.json")
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_FETCH_S = 900.0
_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>citybrain</groupId><artifactId>kafka</artifactId><version>1</version>
<packaging>pom</packaging>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_{scala}</artifactId>
<version>{kafka}</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>
<version>{log4j}</version></dependency>
</dependencies></project>
"""

Fetch = Callable[[Path, bool], None]


class _Listed(TypedDict):
    kafka: str
    scala: str
    log4j: str
    jars: dict[str, str]  # name: SHA-256


def version() -> str:
    """Of Kafka."""
    return _listed()["kafka"]


def folder() -> Path:
    """Where the jars of this version are, or will be."""
    return cache_dir() / f"kafka-{version()}"


def ensure_jars(say: Callable[[str], None], fetch: Fetch | None = None) -> Path:
    """The folder with every jar, whole. Fetches when it must; `fetch` takes Maven's place.

    Raises `Misconfigured` without Maven, `Unavailable` when what came is not what was listed.
    """
    target = folder()
    with locked(target.with_name(f"{target.name}.lock")):
        if not damage(target):
            return target
        say(f"fetching Apache Kafka {version()} (about 45 MB, once)")
        partial = target.with_name(f"{target.name}.partial")
        for afresh in (False, True):
            _remove(partial)
            (fetch or _maven)(partial, afresh)
            wrong = damage(partial)
            if not wrong:
                break
            say(f"{len(wrong)} jars came damaged, {wrong[0]} first")
        else:
            _remove(partial)
            raise Unavailable(f"the jars of Kafka did not come as listed: {', '.join(wrong)}")
        _remove(target)
        partial.rename(target)
    return target


def damage(place: Path) -> list[str]:
    """Names of jars that are missing, differ from their digest, or are not listed."""
    listed = _listed()["jars"]
    wrong = [name for name, digest in listed.items() if _digest(place / name) != digest]
    return wrong + [path.name for path in place.glob("*.jar") if path.name not in listed]


def _maven(target: Path, afresh: bool) -> None:
    """`afresh` does not trust Maven's own cache, which may hold what is damaged."""
    program = shutil.which("mvn")
    if program is None:
        raise Misconfigured(
            [
                "the jars of Kafka are fetched by Maven, and there is none: install it (Debian: "
                f"`apt-get install maven`), or put the jars that deploy/{_LIST.name} lists into "
                f"{folder()}"
            ]
        )
    target.mkdir(parents=True)
    pom = target / "pom.xml"
    pom.write_text(_POM.format(**_listed()), encoding="utf-8")
    command = [program, "-q", "-B", "-f", str(pom), _COPY, "-DincludeScope=runtime"]
    command.append(f"-DoutputDirectory={target}")
    if afresh:
        command.append(f"-Dmaven.repo.local={target / 'repository'}")
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_FETCH_S
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"Maven did not finish in {_FETCH_S:.0f} s") from error
    if done.returncode != 0:
        raise Unavailable(f"Maven could not fetch Kafka: {(done.stdout + done.stderr)[-2000:]}")
    shutil.rmtree(target / "repository", ignore_errors=True)


@cache
def _listed() -> _Listed:
    content: _Listed = json.loads(_LIST.read_text(encoding="utf-8"))
    return content


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def _remove(place: Path) -> None:
    if place.exists():
        shutil.rmtree(place)
