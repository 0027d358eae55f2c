"""What the rivals run in: a virtual environment with pinned packages, a jar of ours with its
dependencies; both made in the cache folder when they are missing, never in citybrain's own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.side_by_side.engine import Engine
from deploy.cache_dir import cache_dir
from streams.errors import Misconfigured, Unavailable

RIVALS = Path(__file__).parents[1] / "rivals"
PACKAGES = (
    "faust-streaming==0.15.3",
    "quixstreams==3.28.1",
    "bytewax==0.21.1",
    "confluent-kafka==2.12.2",
    "aiokafka==0.14.0",
    "numpy==2.4.6",
    "orjson==3.13.0",
    "msgpack==1.2.4",
)
KAFKA_STREAMS = "4.3.1"  # as in kafka_streams/pom.xml
HEAP = "-Xmx512m"
OWN = ("citybrain_engine",)  # programs that run in citybrain's environment


def python() -> str:
    """The interpreter of the rivals' environment. Raises `Unavailable`."""
    digest = hashlib.sha256(" ".join((sys.version, *PACKAGES)).encode()).hexdigest()[:12]
    home = cache_dir() / "rivals" / f"python-{digest}"
    program, ready = home / "bin/python", home / "ready"
    if not ready.exists():
        uv = str(Path(sys.executable).parent / "uv")
        _do([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)])
        _do([uv, "pip", "install", "--quiet", "--python", str(program), *PACKAGES])
        ready.touch()
    return str(program)


def class_path() -> str:
    """The class path of the Kafka Streams program. Raises `Misconfigured`, `Unavailable`."""
    missing = [name for name in ("java", "mvn") if shutil.which(name) is None]
    if missing:
        raise Misconfigured(
            [f"{name} is not installed: Kafka Streams needs it" for name in missing]
        )
    source = RIVALS / "kafka_streams"
    files = sorted(path for path in source.rglob("*") if path.is_file())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    home = cache_dir() / "rivals" / f"kafka-streams-{digest}"
    if not (home / "ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(source, home)
        _do(["mvn", "-q", "-B", "-f", str(home), "-Dmaven.test.skip=true", "package"])
        (home / "ready").touch()
    return os.pathsep.join((str(home / "target/rival-1.jar"), str(home / "target/dependency/*")))


def command(engine: Engine) -> list[str]:
    """What starts the engine; the job follows as the last argument."""
    if engine.program == "java":
        return ["java", HEAP, "-cp", class_path(), "citybrain.rival.Rival"]
    own = engine.program in OWN
    return [sys.executable if own else python(), "-m", f"benchmarks.rivals.{engine.program}"]


def _do(arguments: Sequence[str]) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout)[-800:]
        raise Unavailable(f"`{' '.join(arguments[:4])} …` failed: {said}")
