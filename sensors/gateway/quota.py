"""How much one gateway may send: token buckets for readings and bytes, by gateway.

A request passes when each bucket holds what it needs, or is full: then it may go below zero, so
that a request larger than the burst is slow and not impossible. Time is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensors.gateway.keys import Quota
from sensors.gateway.settings import GatewaySettings


@dataclass(slots=True)
class _Bucket:
    """`tokens` as of `at_s`; grows by a rate up to a burst."""

    tokens: float
    at_s: float

    def fill(self, rate: float, burst: float, now_s: float) -> None:
        grown = self.tokens + max(0.0, now_s - self.at_s) * rate
        self.tokens, self.at_s = min(burst, grown), max(self.at_s, now_s)

    def lacking(self, needed: float, burst: float) -> float:
        return max(0.0, min(needed, burst) - self.tokens)


@dataclass(frozen=True, slots=True)
class Overdraft:
    """Which limit a request met, and when the same would pass."""

    what: str  # readings | bytes
    limit_s: float
    wait_s: float


class Quotas:
    """The buckets of all gateways that sent something; callers name registered gateways only."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def take(
        self, gateway: str, readings: int, size: int, now_s: float, own: Quota | None = None
    ) -> Overdraft | None:
        """Takes readings and bytes from the gateway's share; what lacks, when nothing was taken."""
        wanted = (("readings", readings), ("bytes", size))
        buckets = []
        worst: Overdraft | None = None
        for what, needed in wanted:
            rate, burst = self._limits(what, own or Quota())
            bucket = self._buckets.setdefault((gateway, what), _Bucket(burst, now_s))
            bucket.fill(rate, burst, now_s)
            buckets.append((bucket, needed))
            wait_s = bucket.lacking(needed, burst) / rate
            if wait_s > (worst.wait_s if worst else 0.0):
                worst = Overdraft(what, rate, wait_s)
        if worst is None:
            for bucket, needed in buckets:
                bucket.tokens -= needed
        return worst

    def _limits(self, what: str, own: Quota) -> tuple[float, float]:
        """(per second, burst): the key's own where it has them."""
        settings = self._settings
        if what == "readings":
            rate = own.readings_s or settings.quota_readings_s
            return rate, own.readings_burst or max(settings.quota_readings_burst, rate)
        rate = own.bytes_s or settings.quota_bytes_s
        return rate, own.bytes_burst or max(settings.quota_bytes_burst, rate)
