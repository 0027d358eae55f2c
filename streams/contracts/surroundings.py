"""What a domain may know of the other domains of its area: their firing alerts, the official
warnings in force, and the time.

Domains never import each other. Alerts of a rule that names no measurement of the domain itself
(a closed shelter under a red warning, a link under water) are decided in `Domain.heed`.
"""

from __future__ import annotations

from dataclasses import dataclass

from streams.contracts.cap.model import Status
from streams.contracts.domain import Point
from streams.contracts.reason import Severity

AREA = -1  # `Judgement.point` and `Withdrawal.point` of the area as a whole


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """A firing alert of another domain in the same area. `point` None: it is about the area.

    `covers_area`: its rule says that it concerns the whole area, wherever its point stands (a
    weather warning). Stale alerts are told too: silence ends nothing.
    """

    domain: str
    rule: str
    point: Point | None
    severity: Severity
    stale: bool
    covers_area: bool


@dataclass(frozen=True, slots=True)
class OpenWarning:
    """An official warning that is in force for the area: context, never a measurement.

    `type` is the Chinese name of a known type, "" when it is none; `event` the agency's word.
    """

    id: str
    type: str
    event: str
    severity: Severity
    issuers: tuple[str, ...]
    status: Status


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What `heed` gets: processing time, the position of the record that made it so, the alerts.

    `alerts` are ordered by rule and subject. Only alerts of domains without a `heed` of their own
    are told, so that no two domains can answer each other for ever. `warnings`: worst first.
    """

    now_ms: int
    position: int
    alerts: tuple[OpenAlert, ...]
    warnings: tuple[OpenWarning, ...] = ()
