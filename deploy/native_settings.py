"""Settings of `--infra native`: ports and memory of the servers that citybrain starts by itself."""

from __future__ import annotations

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.errors import Misconfigured


class NativeSettings(BaseSettings):
    """One field per setting; the environment variable is `CITYBRAIN_NATIVE_<FIELD>` in capitals."""

    model_config = SettingsConfigDict(env_prefix="CITYBRAIN_NATIVE_", extra="ignore")

    kafka_port: int = Field(8610, ge=1, le=65535, description="Port of Kafka, on loopback.")
    kafka_controller_port: int = Field(
        8611, ge=1, le=65535, description="Port of Kafka's controller, on loopback."
    )
    kafka_heap: str = Field(
        "512m", pattern=r"^[1-9][0-9]*[mg]$", description="Memory of Kafka's JVM, `512m` or `2g`."
    )
    postgres_port: int = Field(
        8612, ge=1, le=65535, description="Port of PostgreSQL with TimescaleDB, on loopback."
    )
    grafana_port: int = Field(
        8613, ge=1, le=65535, description="Port of Grafana in a container, on loopback."
    )
    debian_mirror: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        description="Mirror of Debian's packages for TimescaleDB; empty = Debian's own.",
    )

    @property
    def kafka_address(self) -> str:
        """What clients are told."""
        return f"127.0.0.1:{self.kafka_port}"


def load_native_settings() -> NativeSettings:
    """Reads the environment; `Misconfigured` lists *all* mistakes."""
    try:
        settings = NativeSettings()
    except ValidationError as error:
        raise Misconfigured(
            [
                f"CITYBRAIN_NATIVE_{'_'.join(str(p) for p in e['loc']).upper()}: {e['msg']}"
                for e in error.errors()
            ]
        ) from error
    ports = (
        *(settings.kafka_port, settings.kafka_controller_port),
        *(settings.postgres_port, settings.grafana_port),
    )
    if len(set(ports)) < len(ports):
        raise Misconfigured([f"two of the ports CITYBRAIN_NATIVE_*_PORT are the same: {ports}"])
    return settings
