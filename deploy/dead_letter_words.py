"""What a dead letter's reason means, what to do about it, and whether another try can help."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from streams.contracts.reason import Reason


class Hope(Enum):
    """What another try of the same bytes can bring."""

    MENDED = "once the cause is mended"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Advice:
    """`means` and `do` are sentences for people; `why` says why no try helps (else empty)."""

    means: str
    do: str
    hope: Hope = Hope.NONE
    why: str = ""


_BYTES = "the same bytes are refused again for the same reason"
_SEND = "Mend what sends it; the data has to be sent again."


def _never(means: str, do: str = _SEND, why: str = _BYTES) -> Advice:
    return Advice(means, do, Hope.NONE, why)


def _later(means: str, do: str) -> Advice:
    return Advice(means, do, Hope.MENDED)


_RETRY = "then `citybrain deadletter retry`."
ADVICE: dict[Reason, Advice] = {
    Reason.MALFORMED: _never("The body cannot be parsed, or it is cut off."),
    Reason.OVERSIZED: _never("The body is larger than a record may be."),
    Reason.BAD_HEADERS: _never("An attribute of CloudEvents is missing or wrong."),
    Reason.UNKNOWN_TYPE: _never("No reader knows this type of event."),
    Reason.UNKNOWN_VERSION: _never(
        "A version of the format, or of a registry or profile, that is unknown here.",
        "Upgrade citybrain, then retry with --force; registries: `citybrain registry import`.",
    ),
    Reason.UNKNOWN_ENCODING: _never("No reader knows this content type."),
    Reason.WRONG_SHAPE: _never("Columns are missing, of unequal length, or point nowhere."),
    Reason.WRONG_TYPE: _never("A value has another type than the format says."),
    Reason.UNKNOWN_AREA: _later(
        "The registry in force knows no such area.", f"Import the area, {_RETRY}"
    ),
    Reason.UNKNOWN_DOMAIN: _later(
        "No such domain is installed.",
        f"Install it (CITYBRAIN_DOMAIN_PATH), restart the workers, {_RETRY}",
    ),
    Reason.UNKNOWN_SENSOR: _later(
        "The registry in force knows no such sensor in this area.",
        f"Add it with `citybrain registry import`, {_RETRY}",
    ),
    Reason.UNKNOWN_PROPERTY: _later(
        "The registry in force gives the sensor no such property.",
        f"Add it to the sensor with `citybrain registry import`, {_RETRY}",
    ),
    Reason.FOREIGN_AREA: _later(
        "The sensor belongs to another area than the frame says, or the area to another partition.",
        f"Correct the registry or the gateway; when it was the registry, {_RETRY}",
    ),
    Reason.OVER_QUOTA: _later(
        "The gateway sent more than it may, over a way that cannot tell it to wait.",
        "Raise its quota or let it send less; what was refused then can be retried now.",
    ),
    Reason.POISON: _later(
        "This record alone made the worker fail: a bug of citybrain.",
        f"Report it with `citybrain deadletter show ID --json`; upgrade, {_RETRY}",
    ),
    Reason.UNKNOWN_UNIT: _never("The unit is not the property's."),
    Reason.FOREIGN_POINT: _never("The sensor stands at another point than its envelope says."),
    Reason.ORIGIN_REFUSED: _never(
        "Readings of this origin may not enter this kind of namespace, e.g. simulated a live one.",
        "Send it to a namespace of its own; old recordings come in with `replay --backfill`.",
        "what a namespace takes never changes",
    ),
    Reason.NOT_FINITE: _never("The value is no number."),
    Reason.OUT_OF_BOUNDS: _never("The value is too large to be kept at the property's scale."),
    Reason.BAD_TIME: _never("The event time is before 2000 or after 2100."),
    Reason.FUTURE_EVENT: _never("The event time is ahead of the ingest time."),
    Reason.FUTURE_INGEST: _never("The ingest time is ahead of the log's clock."),
    Reason.UNUSABLE_VERSION: _never(
        "A profile, rule set or registry that cannot hold together with the others in force.",
        "Correct what the detail names and activate it anew.",
        "an activation is not repeated: it could undo a newer one",
    ),
    Reason.INVALID_WARNING: _never(
        "An official warning that breaks a rule; the detail names the rule and the place.",
        "Tell its sender; send the mended warning with a new identifier.",
    ),
    Reason.UNSAFE_XML: _never(
        "XML with a document type: its entities could read files or fill the memory.",
        "Send it without a DTD; CAP needs none.",
    ),
}
