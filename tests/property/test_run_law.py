"""Frames taken in runs give what they give one by one, to the last field (ADR 14)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from streams.area.process import Area
from streams.contracts.frame import Record
from streams.contracts.outcome import Outcome
from streams.contracts.reason import NamespaceKind
from streams.pipeline import Pipeline, PipelineSetup
from tests.property.test_split_law import same
from tests.support import dense_city
from tests.support.model_store import ModelStore
from tests.support.small_city import DOMAINS, PROPERTY_IDS, TOPIC

VERSIONS = {dense_city.registry().version: dense_city.registry().to_dict()}


class Told:
    """A model store that keeps everything in its order as well."""

    def __init__(self) -> None:
        self.store = ModelStore()
        self.lists: dict[str, list[Any]] = {}

    def apply(self, outcome: Outcome) -> None:
        self.store.apply(outcome)
        for name in ("transitions", "episodes", "tickets", "results", "marks", "quarantined"):
            self.lists.setdefault(name, []).extend(getattr(outcome, name))
        messages = [asdict(m) for m in outcome.region if m.kind != "clock"]
        self.lists.setdefault("region", []).extend(messages)

    def everything(self) -> dict[str, Any]:
        return self.store.canonical() | self.lists


def pipeline() -> Pipeline:
    return Pipeline(PipelineSetup(TOPIC, 0, NamespaceKind.SIMULATED, DOMAINS, PROPERTY_IDS))


def run(records: Sequence[Record], cuts: Sequence[int], restart: int = -1) -> dict[str, Any]:
    told, worker = Told(), pipeline()
    for stretch in stretches(records, cuts):
        if stretch[0].offset == restart:
            worker = restarted(worker)
        told.apply(worker.process(stretch, VERSIONS))
    return told.everything()


def restarted(worker: Pipeline) -> Pipeline:
    state = worker.checkpoint(everything=True)
    fresh = pipeline()
    parts = {key: content for key, content in state.parts.items() if content is not None}
    fresh.load(parts, {key: [segment] for key, segment in state.segments.items()})
    fresh.supply(VERSIONS)
    return fresh


def stretches(records: Sequence[Record], cuts: Sequence[int]) -> Iterator[Sequence[Record]]:
    bounds = sorted({0, *cuts, len(records)})
    for low, high in pairwise(bounds):
        yield records[low:high]


@pytest.mark.parametrize("seed", range(12))
def test_runs_equal_one_by_one(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    records = dense_city.records(seed)
    alone = frames_taken_alone(monkeypatch)
    each = run(records, range(len(records)))
    assert each["transitions"], "the input raises alerts, or the law is empty"
    frames, alone[0] = alone[0], 0
    whole = run(records, ())
    assert alone[0] < frames * (0.5 if seed % 2 else 0.9), "frames are taken in runs"
    same(each, whole)
    rng = np.random.default_rng(seed)
    cuts = rng.integers(1, len(records), 15).tolist()
    same(each, run(records, cuts))
    same(each, run(records, cuts, restart=sorted(set(cuts))[7]))


def test_after_a_bad_stretch_frames_are_taken_in_runs_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = range(100, 130)
    records = dense_city.steady(400, wrong)
    alone = frames_taken_alone(monkeypatch)
    run(records, range(0, len(records), 60))
    assert alone[0] < len(wrong) + 30


def frames_taken_alone(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts calls of `Area.take`."""
    count, plain = [0], Area.take

    def take(area: Area, *args: Any) -> None:
        count[0] += 1
        plain(area, *args)

    monkeypatch.setattr(Area, "take", take)
    return count
