"""House numbers of the stages: keys of the city's profile, defaults, and their mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from streams.alerting.ruleset import COLOURS
from streams.alerting.stages.flap import FlapNumbers
from streams.contracts.domain import Parameter
from streams.contracts.reason import Severity

MOVES = Parameter("alert.flap.transitions", "4", "colour moves", "H", "domain.md §8.3")
WITHIN = Parameter("alert.flap.within_s", "900", "s", "H", "domain.md §8.3")
QUIET = Parameter("alert.flap.quiet_s", "900", "s", "H", "domain.md §8.3: released after it")
HIDES = Parameter(
    "alert.ticket.hides",
    "unit orange; frozen orange; flat_line orange; neighbour orange",
    "kind colour; …",
    "H",
    "up to which colour an open ticket of this kind stands for the alert in people's lists",
)
HIDES_RISING = Parameter(
    "alert.ticket.hides_rising",
    "unit orange; flat_line yellow",
    "kind colour; …",
    "H",
    "the same where a rise alerts in doubt as well (water); never red",
)
PARAMETERS = (MOVES, WITHIN, QUIET, HIDES, HIDES_RISING)
KINDS = frozenset(("unit", "frozen", "flat_line", "neighbour", "drift", "range", "spike", "jump"))
NONE = "-"


@dataclass(frozen=True, slots=True)
class Disbelief:
    """By kind of ticket, the worst colour that it hides: of most properties, and of those whose
    rise alerts in doubt as well."""

    usual: Mapping[str, Severity]
    rising: Mapping[str, Severity]

    def limit(self, kind: str, *, rises: bool) -> Severity:
        """The worst colour that an open ticket of this kind hides."""
        return (self.rising if rises else self.usual).get(kind, Severity.NONE)

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds that hide anything."""
        return frozenset((*self.usual, *self.rising))


def flap_numbers(values: Mapping[str, str]) -> FlapNumbers:
    """The numbers in force; `ValueError` when one is none (see `stage_mistakes`)."""
    moves, within, quiet = (int(values.get(p.key, p.default)) for p in (MOVES, WITHIN, QUIET))
    return FlapNumbers(moves, within * 1000, quiet * 1000)


def disbelief(values: Mapping[str, str]) -> Disbelief:
    """What tickets hide, by the values in force."""
    usual, rising = (dict(_pairs(values.get(p.key, p.default))) for p in (HIDES, HIDES_RISING))
    return Disbelief(
        {kind: COLOURS[colour] for kind, colour in usual.items()},
        {kind: COLOURS[colour] for kind, colour in rising.items()},
    )


def stage_mistakes(values: Mapping[str, str]) -> list[str]:
    """Everything in a profile that the stages cannot work with."""
    found = []
    for parameter, least in ((MOVES, 2), (WITHIN, 1), (QUIET, 1)):
        text = values.get(parameter.key, parameter.default)
        if not text.isdecimal() or int(text) < least:
            found.append(f"{parameter.key} = {text!r} is not a whole number of at least {least}")
    for parameter in (HIDES, HIDES_RISING):
        text = values.get(parameter.key, parameter.default)
        found += [f"{parameter.key}: {mistake}" for mistake in _mistakes(text)]
    if any(colour == "red" for _, colour in _pairs(values.get(HIDES_RISING.key, ""))):
        found.append(f"{HIDES_RISING.key}: red is never hidden: orange at most")
    return found


def _mistakes(text: str) -> Iterator[str]:
    for part in _parts(text):
        words = part.split()
        if len(words) != 2:
            yield f"{part!r} is not 'kind colour'"
        elif words[0] not in KINDS:
            yield f"kind {words[0]!r}: there are {', '.join(sorted(KINDS))}"
        elif words[1] not in COLOURS:
            yield f"colour {words[1]!r}: there are {', '.join(COLOURS)}"


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in _parts(text):
        kind, _, colour = part.partition(" ")
        yield kind, colour.strip()


def _parts(text: str) -> list[str]:
    parts = (part.strip() for part in text.split(";"))
    return [part for part in parts if part and part != NONE]
