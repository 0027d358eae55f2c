"""The rules that a CAP message must keep, by name, and what is said when one is broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from streams.contracts.reason import Reason
from streams.errors import InvalidEvent


class Rule(StrEnum):
    """What is demanded. The names stand in dead letters: values are stable."""

    SIZE = "size"  # bounded, before anything is parsed
    ENCODING = "encoding"  # the declared one is known, and the bytes are of it
    DOCUMENT_TYPE = "document_type"  # no DTD, hence no entities of its own
    WELL_FORMED = "well_formed"
    NAMESPACE = "namespace"  # CAP 1.2 or 1.1
    NATIONAL_DIALECT = "national_dialect"  # http://com.icss.amp is not CAP
    ELEMENT = "element"  # known, in its place, not more often than allowed
    REQUIRED = "required"
    VALUE = "value"  # one of the enumerated values, or of the element's form
    DATE_TIME = "date_time"  # YYYY-MM-DDThh:mm:ss±hh:mm; no Z, no fractions
    CHARACTERS = "characters"  # what XML can carry
    IDENTIFIER = "identifier"  # identifier and sender: no space, comma, < or &
    SCOPE = "scope"  # restriction and addresses fit the scope
    REFERENCES = "references"  # Update, Cancel, Ack, Error name earlier messages, not themselves
    NOTE = "note"  # Error says why
    POLYGON = "polygon"  # at least four pairs, closed, on the globe, not crossing itself
    CIRCLE = "circle"
    CEILING = "ceiling"  # only with an altitude, and not below it
    PUBLIC = "public"  # what the public profile demands


_REASONS = {
    Rule.SIZE: Reason.OVERSIZED,
    Rule.ENCODING: Reason.UNKNOWN_ENCODING,
    Rule.DOCUMENT_TYPE: Reason.UNSAFE_XML,
    Rule.WELL_FORMED: Reason.MALFORMED,
    Rule.NAMESPACE: Reason.UNKNOWN_VERSION,
    Rule.NATIONAL_DIALECT: Reason.UNKNOWN_VERSION,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken rule, and where."""

    rule: Rule
    where: str  # e.g. "alert/info[2]/area[1]/polygon"; empty = the document
    detail: str

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"rule {self.rule.value}: {place}{self.detail}"


class InvalidMessage(InvalidEvent):
    """No CAP message, or one without sense; `faults` has all that was found, at least one."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(_REASONS.get(first.rule, Reason.INVALID_WARNING), f"{first}{more}")
        self.faults = tuple(faults)


def refuse(rule: Rule, where: str, detail: str) -> InvalidMessage:
    """The exception for one fault."""
    return InvalidMessage([Fault(rule, where, detail)])
