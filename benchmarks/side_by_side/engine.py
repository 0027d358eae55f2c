"""The engines that are compared: how each is started, what it is given, what it makes durable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

JSON_TOO = ("faust-raw", "bytewax-columns", "kafka-streams", "citybrain")  # frames of JSON as well
CHANGELOGS = ("{group}-windows-changelog", "{group}-states-changelog")  # of Faust's Tables


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine in one configuration, on one kind of input.

    `share`: what part of the wanted readings it gets, so that a slow one ends in seconds too.
    `done` tells when all is durable: its group's committed positions reach the topic's end
    ("group"), it says so ("told"), or citybrain's positions in the database do ("database").
    """

    name: str
    title: str
    durable: str
    program: str  # a module of benchmarks.rivals, or "java"
    shape: str = "event"
    encoding: str = "json"
    share: float = 1.0
    done: str = "group"
    environment: Mapping[str, str] = field(default_factory=dict)
    windows: str = "{group}-w"  # topic that holds the closed windows
    makes: tuple[str, ...] = ()  # topics that it should find (else it may start before they exist)

    @property
    def family(self) -> str:
        """Whom its rate is compared with: "citybrain", "python" or "java"."""
        if self.name.startswith("citybrain"):
            return "citybrain"
        return "java" if self.program == "java" else "python"

    @property
    def input(self) -> str:
        return "events" if self.shape == "event" else f"frames, {self.encoding}"

    @property
    def key(self) -> str:
        """Names this line of the result."""
        return f"{self.name}/{'event' if self.shape == 'event' else self.encoding}"


CHANGELOGGED = "state (changelogs), results (topics), positions; at least once"
EXACTLY = "state (changelogs), results (topics), positions; exactly once"
RESULTS = "results (topics), positions; state is lost in a crash; at least once"
NOTHING = "results (topics); state and positions are lost in a crash: begins anew"
CITYBRAIN = (
    "every raw reading, windows, alerts, ledger, state and positions in one PostgreSQL transaction;"
    " exactly once"
)


def engines() -> tuple[Engine, ...]:
    """All of them, events first."""
    again = (engine for engine in _on_frames("json") if engine.name in JSON_TOO)
    return (*_on_events(), *_on_frames("msgpack"), *again)


def _on_events() -> tuple[Engine, ...]:
    return (
        _faust_table("event", "json", 0.01),
        _faust_raw("event", "json", 0.05),
        _quix("quix", "at-least-once", "event", "json", 0.05),
        _quix("quix-eo", "exactly-once", "event", "json", 0.05),
        *_bytewax("event", "json", 0.2),
        *(_streams(*configuration, "event", "json") for configuration in STREAMS),
        _citybrain("event", "json", 0.03),
    )


def _on_frames(encoding: str) -> tuple[Engine, ...]:
    return (
        _faust_table("frame", encoding, 0.01),
        _faust_raw("frame", encoding, 1.0),
        _quix("quix", "at-least-once", "frame", encoding, 0.25),
        _quix("quix-eo", "exactly-once", "frame", encoding, 0.25),
        *_bytewax("frame", encoding, 0.05),
        *(_streams(*configuration, "frame", encoding) for configuration in STREAMS),
        _flat(encoding),
        _citybrain("frame", encoding, 1.0),
        _citybrain_alone(encoding),
    )


def _faust_table(shape: str, encoding: str, share: float) -> Engine:
    title = "Faust, windowed Table"
    return Engine(
        "faust-table",
        title,
        CHANGELOGGED,
        "faust_table",
        shape,
        encoding,
        share,
        windows=CHANGELOGS[0],
        makes=CHANGELOGS,
    )


def _faust_raw(shape: str, encoding: str, share: float) -> Engine:
    title = "Faust, raw records and numpy"
    return Engine("faust-raw", title, RESULTS, "faust_raw", shape, encoding, share)


def _quix(name: str, guarantee: str, shape: str, encoding: str, share: float) -> Engine:
    exactly = guarantee == "exactly-once"
    title = f"Quix Streams{', exactly once' if exactly else ''}"
    return Engine(
        name,
        title + ("" if shape == "event" else ", numpy by area"),
        EXACTLY if exactly else CHANGELOGGED,
        "quix",
        shape,
        encoding,
        share,
        environment={"QUIX_GUARANTEE": guarantee},
    )


def _bytewax(shape: str, encoding: str, share: float) -> tuple[Engine, ...]:
    flow = ("bytewax_flow", shape, encoding)
    plain = Engine("bytewax", "Bytewax", NOTHING, *flow, share, "told")
    kept = Engine(
        "bytewax-recovery",
        "Bytewax, recovery on",
        "state and positions (SQLite), results (topics); at least once",
        *flow,
        share,
        "told",
        {"BYTEWAX_RECOVERY": "on"},
    )
    columns = Engine(
        "bytewax-columns",
        "Bytewax, recovery on, numpy by area",
        kept.durable,
        *flow,
        1.0,
        "told",
        {"BYTEWAX_RECOVERY": "on", "BYTEWAX_STEP": "columns"},
    )
    return (plain, kept) if shape == "event" else (plain, kept, columns)


STREAMS = (
    ("kafka-streams", "Kafka Streams", "at_least_once", "", 1),
    ("kafka-streams-nocache", "Kafka Streams, cache 0", "at_least_once", "0", 1),
    ("kafka-streams-eos", "Kafka Streams, exactly once", "exactly_once_v2", "", 1),
    (
        "kafka-streams-eos-nocache",
        "Kafka Streams, exactly once, cache 0",
        "exactly_once_v2",
        "0",
        1,
    ),
    ("kafka-streams-2", "Kafka Streams, 2 threads", "at_least_once", "", 2),
)


def _streams(
    name: str, title: str, guarantee: str, cache: str, threads: int, shape: str, encoding: str
) -> Engine:
    return Engine(
        name,
        title,
        EXACTLY if guarantee == "exactly_once_v2" else CHANGELOGGED,
        "java",
        shape,
        encoding,
        environment={"GUARANTEE": guarantee, "CACHE": cache, "THREADS": str(threads)},
    )


def _flat(encoding: str) -> Engine:
    return Engine(
        "kafka-streams-flatmap",
        "Kafka Streams, flatMap and repartition",
        CHANGELOGGED,
        "java",
        "frame",
        encoding,
        0.25,
        environment={"GUARANTEE": "at_least_once", "CACHE": "", "THREADS": "1", "FLAT": "1"},
    )


def _citybrain(shape: str, encoding: str, share: float) -> Engine:
    return Engine(
        "citybrain",
        "citybrain, the worker",
        CITYBRAIN,
        "citybrain_worker",
        shape,
        encoding,
        share,
        "database",
    )


def _citybrain_alone(encoding: str) -> Engine:
    return Engine(
        "citybrain-engine",
        "citybrain, the pipeline alone",
        "nothing: its outcomes are dropped after they were checked",
        "citybrain_engine",
        "frame",
        encoding,
        1.0,
        "told",
    )
