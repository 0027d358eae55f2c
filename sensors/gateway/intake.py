"""From a body to the log, whichever door it came by: decode, admit, check, append.

HTTP and MQTT call `Intake.take` with what they know of the sender, and turn what it raises into
their own words. It holds no socket and no thread; the collector appends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sensors.gateway.checking import check
from sensors.gateway.collector import Busy, Collector
from sensors.gateway.decoding import claim_all, decode
from sensors.gateway.keys import Key
from sensors.gateway.metrics import GatewayMetrics
from sensors.gateway.quota import Overdraft, Quotas
from sensors.gateway.reading import BadRequest, Claim, Request
from sensors.gateway.settings import GatewaySettings
from sensors.gateway.watch import RegistryWatch


@dataclass(frozen=True, slots=True)
class Sender:
    """What a door knows of who sends: the key it showed, and what its envelope names."""

    key: Key | None = None
    gateway: str | None = None
    id: str | None = None
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request; the log holds what was accepted."""

    accepted: int
    refused: tuple[Mapping[str, object], ...]


class OtherGateway(Exception):
    """The key belongs to another gateway than the one that the request names."""


class UnknownGateway(Exception):
    """Nobody registered this gateway."""


class OverQuota(Exception):
    """The gateway has sent its share; nothing of this request was taken."""

    def __init__(self, overdraft: Overdraft) -> None:
        super().__init__(f"more than {overdraft.limit_s:g} {overdraft.what}/s of this gateway")
        self.overdraft = overdraft


class Intake:
    """`clock_ms` is the ingest clock; `monotonic_s` the one by which quotas fill again."""

    def __init__(
        self,
        settings: GatewaySettings,
        metrics: GatewayMetrics,
        watch: RegistryWatch,
        collector: Collector,
        clock_ms: Callable[[], int],
        monotonic_s: Callable[[], float],
        heard: Callable[[str, int], None],
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._watch = watch
        self._collector = collector
        self._clock_ms = clock_ms
        self._monotonic_s = monotonic_s
        self._heard = heard
        self._quotas = Quotas(settings)

    async def take(
        self, content_type: str, headers: Mapping[str, str], body: bytes, sender: Sender
    ) -> Answer:
        """`decode`, then `accept`, for a door that need not give the body back in between."""
        request = self.decode(content_type, headers, body, sender)
        return await self.accept(request, len(body), sender.key)

    async def accept(self, request: Request, size: int, key: Key | None) -> Answer:
        """The answer when the log has every reading that is accepted; `size` = bytes of its body.

        Raises `UnknownGateway` and `OverQuota` when nothing was taken, `Busy` and `Unavailable`
        when the same may be sent again.
        """
        directory = self._watch.directory
        if directory is None:
            raise Busy("no registry is active yet", own=False)
        if request.gateway not in directory.gateways:
            raise UnknownGateway(request.gateway)
        self.charge(request.gateway, len(request.readings), size, key)
        self._heard(request.gateway, self._clock_ms())
        pieces, refused = check(request, directory, key.areas if key else None)
        self._count(request.gateway, "refused", len(refused))
        for one in refused:
            self._metrics.refused.labels(one.reason).inc()
        await self._collector.put(pieces)
        accepted = sum(len(piece.rows) for piece in pieces)
        self._count(request.gateway, "accepted", accepted)
        self._metrics.accepted.inc(accepted)
        return Answer(accepted, tuple(request.describe(one) for one in refused))

    def charge(self, gateway: str, readings: int, size: int, key: Key | None) -> None:
        """Takes from the quota of a registered gateway; raises `OverQuota`."""
        own = None if key is None else key.quota
        lacking = self._quotas.take(gateway, readings, size, self._monotonic_s(), own)
        if lacking is not None:
            self._metrics.throttled.labels(gateway, lacking.what).inc()
            raise OverQuota(lacking)
        self._metrics.bytes.labels(gateway).inc(size)

    def decode(
        self, content_type: str, headers: Mapping[str, str], body: bytes, sender: Sender
    ) -> Request:
        """The readings of a body and who sends them.

        Raises `BadRequest`, `UnknownFormat` or `OtherGateway`.
        """
        key = sender.key
        named = sender.gateway
        request = decode(
            content_type,
            headers,
            body,
            most=self._settings.request_readings,
            now_ms=self._clock_ms(),
            gateway=key.gateway if named is None and key is not None else named,
            id=sender.id,
        )
        if key is not None and (request.gateway != key.gateway or named not in (None, key.gateway)):
            raise OtherGateway(key.gateway)
        if named is not None and request.gateway != named:
            raise BadRequest("the body names another gateway than the call")
        return request if sender.claim is None else claim_all(request, sender.claim)

    def _count(self, gateway: str, outcome: str, readings: int) -> None:
        if readings:
            self._metrics.by_gateway.labels(gateway, outcome).inc(readings)
