"""Settings of the gateway: how long it gathers and how much it holds. Prefix `CITYBRAIN_GATEWAY_`.

The defaults are house numbers (H): no standard states them. What they bound together is the
memory of the process: body bytes being read, rows waiting for the log, requests in flight.
"""

from __future__ import annotations

import ipaddress
from enum import StrEnum

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.contracts.frame import MAX_BODY_BYTES, MAX_ROWS
from streams.errors import Misconfigured

LOOPBACK = "127.0.0.1"


class KeyRule(StrEnum):
    """Whether a sender must show a key."""

    REQUIRED = "required"
    OPTIONAL = "optional"  # on loopback only; a key that is shown is checked all the same


class GatewaySettings(BaseSettings):
    """One field per setting; the environment variable is `CITYBRAIN_GATEWAY_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="CITYBRAIN_GATEWAY_", extra="ignore", frozen=True)

    host: str = Field(LOOPBACK, description="Address to listen on; loopback unless set.")
    port: int = Field(8601, ge=0, le=65535, description="Port to listen on; 0 = any free one.")
    expose: bool = Field(
        False, description="Must be true for an address that is not loopback; keys are required."
    )
    keys: KeyRule = Field(
        KeyRule.REQUIRED,
        description="`required`, or `optional`: senders on loopback need no key. "
        "`citybrain up` says `optional` on loopback.",
    )
    keys_stale_s: float = Field(
        60, gt=0, description="Keys older than this, because the store is away, admit nobody."
    )
    quota_readings_s: int = Field(2_000, ge=1, description="Readings a second of one gateway.")
    quota_readings_burst: int = Field(
        20_000, ge=1, description="Readings of one gateway at once, after a pause."
    )
    quota_bytes_s: int = Field(1 << 19, ge=1, description="Body bytes a second of one gateway.")
    quota_bytes_burst: int = Field(
        4 << 20, ge=1, description="Body bytes of one gateway at once, after a pause."
    )
    linger_ms: int = Field(20, ge=0, le=10_000, description="How long rows wait for company.")
    frame_rows: int = Field(500, ge=1, le=MAX_ROWS, description="Most rows of one frame.")
    request_bytes: int = Field(
        1 << 20, ge=1024, le=4 * MAX_BODY_BYTES, description="Largest request body, in bytes."
    )
    request_readings: int = Field(5_000, ge=1, description="Most readings of one request.")
    reading_bytes: int = Field(
        32 << 20, ge=1024, description="Bytes of request bodies held at once, all clients."
    )
    requests: int = Field(256, ge=1, description="Requests in progress at once.")
    waiting_rows: int = Field(100_000, ge=1, description="Rows that wait for the log at once.")
    source_rows: int = Field(
        25_000, ge=1, description="Rows of one gateway that wait for the log at once."
    )
    seen_s: float = Field(5, gt=0, description="Last-seen times are written so often at most.")
    quiet_s: float = Field(
        300, gt=0, description="A gateway that was not heard for so long counts as quiet."
    )
    body_timeout_s: float = Field(10, gt=0, description="A body must have arrived by then.")
    append_timeout_s: float = Field(
        10, gt=0, description="The log must have taken the rows by then, tries included."
    )
    retry_after_s: int = Field(2, ge=1, description="What a client that must wait is told.")
    registry_s: float = Field(5, gt=0, description="How often a newer registry is looked for.")

    def mistakes(self) -> list[str]:
        """What no single field can tell."""
        found = []
        reachable = not is_loopback(self.host)
        if reachable and not self.expose:
            found.append(
                f"CITYBRAIN_GATEWAY_HOST: {self.host} is not loopback; set"
                " CITYBRAIN_GATEWAY_EXPOSE=true when others shall reach it (keys travel in clear"
                " text: put TLS in front)"
            )
        if reachable and self.keys is not KeyRule.REQUIRED:
            found.append(
                f"CITYBRAIN_GATEWAY_KEYS: {self.keys.value} is for loopback only, and"
                f" {self.host} is not"
            )
        if self.request_bytes > self.reading_bytes:
            found.append("CITYBRAIN_GATEWAY_READING_BYTES: less than one request's bytes")
        if self.request_readings > self.source_rows:
            found.append("CITYBRAIN_GATEWAY_SOURCE_ROWS: less than one request's readings")
        if self.source_rows > self.waiting_rows:
            found.append("CITYBRAIN_GATEWAY_WAITING_ROWS: less than one gateway's rows")
        return found


def load_gateway_settings() -> GatewaySettings:
    """Reads the environment; `Misconfigured` lists *all* mistakes."""
    try:
        settings = GatewaySettings()
    except ValidationError as error:
        raise Misconfigured(
            [
                f"CITYBRAIN_GATEWAY_{'_'.join(str(p) for p in e['loc']).upper()}: {e['msg']}"
                for e in error.errors()
            ]
        ) from error
    mistakes = settings.mistakes()
    if mistakes:
        raise Misconfigured(mistakes)
    return settings


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address; a name other than localhost is not."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
