"""House numbers of the region stage: configurable in the city profile, defaults from domain.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from streams.contracts.domain import HOUR_MS, Domain, Parameter
from streams.contracts.reason import Severity

OFFSET = Parameter("profile.utc_offset_hours", "8", "h", "H", "design.md §7, domain.md §8.3")
SILENT_SHARE = Parameter("region.gateway.silent_share", "0.8", "1", "H", "domain.md §8.3")
MIN_SENSORS = Parameter("region.gateway.min_sensors", "3", "sensors", "H", "domain.md §8.3")
WITHIN = Parameter("region.gateway.within_s", "60", "s", "H", "domain.md §8.3")
SEVERITY = Parameter("region.gateway.severity", "3", "1 blue … 4 red", "H", "house convention")
VALID = Parameter("region.gateway.valid_s", "900", "s", "H", "house convention")
JUDGE_WITHIN = Parameter(
    "region.alert.judge_within_s",
    "21600",
    "s",
    "H",
    "house convention: an hour folded later than this raises no alert (backfill, long outage)",
)
PARAMETERS = (OFFSET, SILENT_SHARE, MIN_SENSORS, WITHIN, SEVERITY, VALID, JUDGE_WITHIN)


@dataclass(frozen=True, slots=True)
class GatewayNumbers:
    """When a gateway counts as silent: `share` of its sensors, exact."""

    share: Fraction
    min_sensors: int
    within_ms: int
    severity: Severity
    valid_ms: int


def read_parameters(
    declared: tuple[Parameter, ...], values: Mapping[str, str]
) -> Mapping[str, str]:
    """The declared parameters with the profile's values over their defaults."""
    return {p.key: values.get(p.key, p.default) for p in declared}


def domain_parameters(domain: Domain, values: Mapping[str, str]) -> Mapping[str, str]:
    """A domain's parameters in force."""
    return read_parameters(domain.parameters, values)


def offset_ms(values: Mapping[str, str]) -> int:
    """Offset of the profile's day from UTC; `ValueError` when it is no number."""
    return int(Fraction(values.get(OFFSET.key, OFFSET.default)) * HOUR_MS)


def judge_within_ms(values: Mapping[str, str]) -> int:
    """How long after its end a period may still raise an alert."""
    return int(values.get(JUDGE_WITHIN.key, JUDGE_WITHIN.default)) * 1000


def gateway_numbers(values: Mapping[str, str]) -> GatewayNumbers:
    """The gateway rule's numbers in force; `ValueError` when one is no number."""
    read = read_parameters(PARAMETERS, values)
    return GatewayNumbers(
        share=Fraction(read[SILENT_SHARE.key]),
        min_sensors=int(read[MIN_SENSORS.key]),
        within_ms=int(read[WITHIN.key]) * 1000,
        severity=Severity(int(read[SEVERITY.key])),
        valid_ms=int(read[VALID.key]) * 1000,
    )
