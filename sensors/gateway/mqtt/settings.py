"""Settings of the MQTT door, prefix `CITYBRAIN_GATEWAY_MQTT_`. Without a host there is no door."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from sensors.gateway.settings import is_loopback
from streams.errors import Misconfigured

_PREFIX = "CITYBRAIN_GATEWAY_MQTT_"


class Version(StrEnum):
    """Which MQTT the door speaks to the broker; devices may speak another one."""

    V311 = "3.1.1"
    V5 = "5"


class MqttSettings(BaseSettings):
    """One field per setting; the environment variable is `CITYBRAIN_GATEWAY_MQTT_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", frozen=True)

    host: str = Field("", description="The broker; empty = no MQTT.")
    port: int = Field(1883, ge=1, le=65535, description="Its port; 8883 is usual with TLS.")
    version: Version = Field(Version.V5, description="`5` or `3.1.1`.")
    root: str = Field("cb/v1", description="Topics begin with this, then a slash.")
    client_id: str = Field(
        "citybrain-gateway",
        min_length=1,
        max_length=23,
        description="Names the session that the broker keeps; one per gateway process.",
    )
    share: str = Field(
        "", description="Group of a shared subscription (MQTT 5), for several gateway processes."
    )
    username: str = Field("", description="For the broker.")
    password: SecretStr = Field(SecretStr(""), description="For the broker.")
    tls: bool = Field(False, description="TLS, with the system's authorities or `CA_FILE`.")
    ca_file: Path | None = Field(None, description="PEM file with the broker's authority.")
    certificate: Path | None = Field(None, description="PEM file of the door's own certificate.")
    certificate_key: Path | None = Field(None, description="PEM file of its private key.")
    inflight: int = Field(
        2_000, ge=1, le=65_535, description="Messages taken and not acknowledged yet, at most."
    )
    message_bytes: int = Field(
        256 << 10, ge=1024, le=4 << 20, description="Largest message, in bytes."
    )
    session_s: int = Field(
        7 * 86_400,
        ge=0,
        description="How long the broker keeps the session of a door that is away.",
    )
    keepalive_s: int = Field(30, ge=5, le=65_535, description="A broker silent for longer is lost.")

    def mistakes(self) -> list[str]:
        """What no single field can tell."""
        found = []
        if self.host and not self.tls and not is_loopback(self.host):
            found.append(f"{_PREFIX}TLS: {self.host} is not loopback: set it to true")
        if self.share and self.version is not Version.V5:
            found.append(f"{_PREFIX}SHARE: shared subscriptions need VERSION 5")
        if set(self.root + self.share) & set("+#\0") or not self.root.strip("/"):
            found.append(f"{_PREFIX}ROOT and SHARE: no +, no #, and a root is needed")
        if self.root.startswith(("/", "$")) or self.root.endswith("/"):
            found.append(f"{_PREFIX}ROOT: begins with no / or $ and ends with no /")
        if "/" in self.share:
            found.append(f"{_PREFIX}SHARE: a group has no /")
        if (self.certificate is None) != (self.certificate_key is None):
            found.append(f"{_PREFIX}CERTIFICATE and CERTIFICATE_KEY go together")
        for path in (self.ca_file, self.certificate, self.certificate_key):
            if path is not None and not path.is_file():
                found.append(f"{_PREFIX}…: there is no file {path}")
        return found

    @classmethod
    def load(cls) -> Self | None:
        """Reads the environment; None without a host. `Misconfigured` lists *all* mistakes."""
        try:
            settings = cls()
        except ValidationError as error:
            raise Misconfigured(
                [
                    f"{_PREFIX}{'_'.join(str(p) for p in e['loc']).upper()}: {e['msg']}"
                    for e in error.errors()
                ]
            ) from error
        mistakes = settings.mistakes() if settings.host else []
        if mistakes:
            raise Misconfigured(mistakes)
        return settings if settings.host else None
