"""Why something was rejected or quarantined, why an alert moved. Stored: values are stable."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Reason(StrEnum):
    """Why a record or a row was refused (dead letter) or set apart (quarantine)."""

    MALFORMED = "malformed"  # not parseable in its declared encoding, or truncated
    OVERSIZED = "oversized"
    BAD_HEADERS = "bad_headers"  # CloudEvents attributes missing or wrong
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_VERSION = "unknown_version"
    UNKNOWN_ENCODING = "unknown_encoding"
    WRONG_SHAPE = "wrong_shape"  # columns missing, of unequal length, index out of its dictionary
    WRONG_TYPE = "wrong_type"
    UNKNOWN_AREA = "unknown_area"
    UNKNOWN_DOMAIN = "unknown_domain"
    UNKNOWN_SENSOR = "unknown_sensor"
    UNKNOWN_PROPERTY = "unknown_property"
    UNKNOWN_UNIT = "unknown_unit"
    FOREIGN_AREA = "foreign_area"  # the sensor belongs to another area than the frame says
    FOREIGN_POINT = "foreign_point"  # the sensor stands at another point than the envelope says
    ORIGIN_REFUSED = "origin_refused"  # e.g. a simulated frame in a live namespace
    OVER_QUOTA = "over_quota"  # more than the gateway may send, where nobody could be told to wait
    NOT_FINITE = "not_finite"
    OUT_OF_BOUNDS = "out_of_bounds"  # cannot be stored at the property's scale
    BAD_TIME = "bad_time"  # before 2000 or after 2100
    FUTURE_EVENT = "future_event"  # quarantine: event ahead of ingest beyond tolerance
    FUTURE_INGEST = "future_ingest"  # quarantine: ingest ahead of append
    UNUSABLE_VERSION = "unusable_version"  # it cannot hold with the other versions in force
    POISON = "poison"  # a record that always made the batch fail
    INVALID_WARNING = "invalid_warning"  # an official warning that breaks a rule; detail names it
    UNSAFE_XML = "unsafe_xml"  # a document type, hence entities of its own


class Flag(IntEnum):
    """Quality flags of QARTOD (IOOS, 2020): higher is worse except 9."""

    GOOD = 1
    NOT_EVALUATED = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


class Origin(StrEnum):
    """Where a reading comes from. Only LIVE may ever become an Actual message."""

    LIVE = "live"
    SIMULATED = "simulated"
    REPLAYED = "replayed"
    DRILL = "drill"


class NamespaceKind(StrEnum):
    """What a namespace (a schema of the store) is for."""

    LIVE = "live"
    SIMULATED = "simulated"
    REPLAY = "replay"
    VERIFY = "verify"
    DRILL = "drill"


class LogKind(StrEnum):
    """Where a namespace keeps its log."""

    TABLE = "table"  # of the database
    KAFKA = "kafka"


class Severity(IntEnum):
    """Alert severity; 蓝 Ⅳ, 黄 Ⅲ, 橙 Ⅱ, 红 Ⅰ."""

    NONE = 0
    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4


class AlertState(StrEnum):
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Change(StrEnum):
    """Why an alert made a transition."""

    ONSET = "onset"  # → pending
    CONFIRMED = "confirmed"  # pending → firing
    RAISED = "raised"
    LOWERED = "lowered"
    STALE = "stale"  # its sensor fell silent
    FRESH = "fresh"  # its sensor speaks again
    CLEARED = "cleared"  # ended by measurement
    NOT_CONFIRMED = "not_confirmed"  # pending never became firing
    WITHDRAWN = "withdrawn"  # the sensor was wrong
    CLOSED = "closed"  # by hand
    RETIRED = "retired"  # the rule or the point was taken out of service
    HIDDEN = "hidden"  # left people's lists: another alert or a ticket stands for it
    SHOWN = "shown"  # back in people's lists
