"""Writing facts: a first value, or a revision when the value differs from the newest one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from streams.contracts.domain import FactValue
from streams.region.pages import Fact, FactKey, Pages

CLOSED = "closed"
LATE = "late"
REGISTRY = "registry"
CAUSES = (LATE, REGISTRY, "revised", CLOSED)  # the strongest first
NOTHING = FactValue(None)


def strongest(causes: set[str]) -> str:
    """The cause to state when several changes met in one moment; unknown ones come last."""
    return min(causes, key=lambda c: (CAUSES.index(c) if c in CAUSES else len(CAUSES), c))


@dataclass(slots=True)
class Reviser:
    """Writes facts of one processing time and remembers which were written."""

    pages: Pages
    known_ms: int
    written: list[Fact] = field(default_factory=list)

    def revise(self, new: Fact) -> Fact | None:
        """Stores `new` as the next revision; None when its value is already the newest one.

        `new.revision` and `new.known_from_ms` are set here. No value where none was stated
        before is no fact.
        """
        before = self.pages.facts(*new.key[:3]).get(new.key.area)
        if before is None and new.value == NOTHING:
            return None
        if before is not None and same(before, new):
            return None
        revision = 1 if before is None else before.revision + 1
        fact = replace(new, revision=revision, known_from_ms=self.known_ms)
        self.pages.put_fact(fact)
        self.written.append(fact)
        return fact


def same(before: Fact, new: Fact) -> bool:
    """Whether nothing that a reader sees differs: value, bounds, completeness, detail, method."""
    return (before.value, before.unit, before.method, before.end_ms) == (
        new.value,
        new.unit,
        new.method,
        new.end_ms,
    )


def unwritten(
    key: FactKey, end_ms: int, value: FactValue | None, unit: str, method: str, cause: str
) -> Fact:
    """A fact before `Reviser.revise` gives it its revision and its known-from.

    Its detail becomes plain JSON (no tuples, text keys), as it will come back from the store:
    else an equal value would look like another one after a restart.
    """
    stated = value or NOTHING
    plain = replace(stated, detail=json.loads(json.dumps(stated.detail)))
    return Fact(key, end_ms, 0, plain, unit, method, cause, 0)
