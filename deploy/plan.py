"""What shall run beside the database: which child processes, with which arguments and settings."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from deploy.process import write_atomically

LIVE_NAMESPACE = "citybrain"
PLAY_NAMESPACE = "play"
SCENARIOS = ("typhoon", "ordinary", "smog", "heat-wave", "cold-wave")
PLAN_FILE = "plan.json"


@dataclass(frozen=True, slots=True)
class Child:
    """One child process: what is run, with these environment variables on top."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ends: bool = False  # it may finish: exit code 0 is final


@dataclass(frozen=True, slots=True)
class PlayPace:
    """How large a city a scenario is played over, and at how many times real time."""

    speed: float = 60.0
    points: int = 1_800

    def options(self) -> tuple[str, ...]:
        """For `citybrain simulate`."""
        return ("--speed", f"{self.speed:g}", "--points", str(self.points))


@dataclass(frozen=True, slots=True)
class Plan:
    """All children; `play` names the scenario that is played, if one is."""

    children: tuple[Child, ...]
    play: str | None = None

    def save(self, var_dir: Path) -> None:
        """Writes the plan where the supervisor reads it."""
        write_atomically(var_dir / PLAN_FILE, json.dumps(asdict(self), indent=1))

    @classmethod
    def load(cls, var_dir: Path) -> Plan | None:
        """The plan that was written last; None when there is none."""
        try:
            content = json.loads((var_dir / PLAN_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        children = tuple(
            Child(c["name"], tuple(c["command"]), c["environment"], c["ends"])
            for c in content["children"]
        )
        return cls(children, content["play"])


def citybrain(*arguments: str) -> tuple[str, ...]:
    """The command line of a verb, by the interpreter that runs now."""
    return (sys.executable, "-m", "deploy.cli", *arguments)


def make_plan(
    play: str | None,
    gateway_keys: str = "required",
    kafka: str | None = None,
    pace: PlayPace = PlayPace(),
) -> Plan:
    """The live city, and with a scenario also the simulated one in a namespace of its own.

    `gateway_keys` is `CITYBRAIN_GATEWAY_KEYS` of the gateway; `kafka` the address of a Kafka that
    is ours, for every child (None: the children's own settings say).
    """
    log = {} if kafka is None else {"CITYBRAIN_KAFKA": kafka}
    live = log | {"CITYBRAIN_NAMESPACE": LIVE_NAMESPACE}
    children = [
        Child("worker", citybrain("worker"), live),
        Child("gateway", citybrain("gateway"), live | {"CITYBRAIN_GATEWAY_KEYS": gateway_keys}),
        Child("api", citybrain("api"), live),
        Child("deliver", citybrain("deliver"), live),
    ]
    if play is not None:
        there = log | {"CITYBRAIN_NAMESPACE": PLAY_NAMESPACE}
        simulate = citybrain("simulate", play, "--namespace", PLAY_NAMESPACE, *pace.options())
        children += [
            Child("play-worker", citybrain("worker", "--namespace", PLAY_NAMESPACE), there),
            Child("play-simulator", simulate, there, ends=True),
        ]
    return Plan(tuple(children), play)
