"""Settings of every process: typed, prefixed `CITYBRAIN_`, read once at start.

Thresholds of a city are not settings but data: the profile in the registry (see `streams.catalog`).
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.contracts.reason import LogKind
from streams.errors import Misconfigured


class Settings(BaseSettings):
    """One field per setting; the environment variable is `CITYBRAIN_<FIELD>` in capitals."""

    model_config = SettingsConfigDict(env_prefix="CITYBRAIN_", extra="ignore")

    var_dir: Path = Field(Path("var"), description="Folder for data, sockets and logs.")
    database: str | None = Field(
        None,
        description="libpq connection string of an existing PostgreSQL; empty = the one of "
        "`citybrain up` (its connection string is in <var_dir>/database.conninfo while it runs).",
    )
    kafka: str | None = Field(
        None,
        description="Bootstrap addresses of Apache Kafka, `host:port,…`: the log of live and "
        "simulated namespaces made from then on; empty = a table of the database.",
    )
    kafka_security: str = Field(
        "PLAINTEXT",
        pattern="^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$",
        description="How to speak with Kafka.",
    )
    kafka_sasl: str = Field(
        "SCRAM-SHA-512",
        pattern="^(PLAIN|SCRAM-SHA-256|SCRAM-SHA-512)$",
        description="SASL mechanism, where `kafka_security` asks for one.",
    )
    kafka_user: str | None = Field(None, description="User of SASL.")
    kafka_password: SecretStr | None = Field(None, description="Password of SASL; never logged.")
    kafka_ca: Path | None = Field(
        None, description="PEM file of who signed the brokers' certificates; empty = the system's."
    )
    kafka_certificate: Path | None = Field(None, description="PEM file of our own certificate.")
    kafka_key: Path | None = Field(None, description="PEM file of its key.")
    kafka_replication: int = Field(
        1, ge=1, le=9, description="Replicas of topics that citybrain makes."
    )
    kafka_retention_days: int = Field(
        7,
        ge=1,
        le=3650,
        description="Days that topics keep records (alerts stay until their alert is gone).",
    )
    kafka_session_s: float = Field(
        6.0,
        ge=1.0,
        le=300.0,
        description="Seconds without a heartbeat after which a worker's partitions go to others "
        "(the broker allows no less than its `group.min.session.timeout.ms`).",
    )
    kafka_heartbeat_s: float = Field(
        2.0, ge=0.1, le=100.0, description="Seconds between a worker's heartbeats."
    )
    kafka_release_s: float = Field(
        4.0,
        ge=0.5,
        le=100.0,
        description="Seconds that a worker may take to give partitions back with a checkpoint.",
    )
    namespace: str = Field(
        "citybrain",
        pattern=r"^[a-z][a-z0-9_]{0,40}$",
        description="Schema to work in; `citybrain` is the live one.",
    )
    partitions: int = Field(
        4, ge=1, le=64, description="Partitions of the log (fixed at creation)."
    )
    api_host: str = Field("127.0.0.1", description="Address the API and start page listen on.")
    api_port: int = Field(8600, ge=0, le=65535, description="Port of the API and start page.")
    gateway_host: str = Field("127.0.0.1", description="Address the HTTP gateway listens on.")
    gateway_port: int = Field(8601, ge=0, le=65535, description="Port of the HTTP gateway.")
    play_speed: float = Field(
        60.0,
        gt=0.0,
        description="Times real time at which `up --play` plays its scenario, in force from the "
        "next `up`.",
    )
    play_points: int = Field(
        1_800,
        ge=1,
        le=20_000,
        description="Flood points of the city that `up --play` simulates: fewer for a small "
        "machine; 20 fill one county, 1800 all. A city that is there already keeps its own.",
    )
    keep_readings_days: int = Field(
        0,
        ge=0,
        description="Days that the live namespace keeps raw readings; 0 = for ever. Never less "
        "than the longest horizon of its domains and two days.",
    )
    keep_windows_days: int = Field(
        0,
        ge=0,
        description="The same for windows of all sizes; hours and days of sensors stay, added up.",
    )
    keep_health_days: int = Field(0, ge=0, description="The same for the health of sensors by day.")
    keep_events_days: int = Field(
        30,
        ge=0,
        description="Days that a cursor of `/v1/events` is good for in the live namespace; 0 = for "
        "ever. What a subscriber still waits for is kept longer.",
    )
    keep_warnings_days: int = Field(
        0,
        ge=0,
        description="Days that the live namespace keeps official warnings that are over; 0 = for "
        "ever.",
    )
    compress_after_days: int = Field(
        7,
        ge=0,
        description="Age at which chunks are compressed, where TimescaleDB is the community "
        "edition; 0 = never. In force from the next `citybrain migrate` or `up`.",
    )
    reader_password: SecretStr | None = Field(
        None,
        min_length=16,
        description="Password that Grafana logs in to the database with, as `citybrain_reader`, in "
        "force from the next `citybrain migrate` or `up`; empty = that role stays as it is.",
    )
    domain_path: tuple[Path, ...] = Field((), description="More folders to scan for domains.")
    log_level: str = Field(
        "INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="Least severe level that is logged.",
    )

    @model_validator(mode="after")
    def _heartbeats_fit(self) -> Settings:
        if self.kafka_heartbeat_s * 2 > self.kafka_session_s:
            raise ValueError("kafka_heartbeat_s must be at most half of kafka_session_s")
        return self

    def log_kind(self) -> LogKind:
        """Where a live or simulated namespace that is made now keeps its log."""
        return LogKind.KAFKA if self.kafka else LogKind.TABLE

    def plain_reader_password(self) -> str | None:
        """The password of the dashboards' role, for the server only."""
        return self.reader_password.get_secret_value() if self.reader_password else None

    def conninfo(self) -> str:
        """The libpq connection string in force; `Misconfigured` when nothing runs."""
        if self.database:
            return self.database
        file = self.var_dir / "database.conninfo"
        if not file.exists():
            raise Misconfigured(
                [
                    f"no database: {file} does not exist; start one with `citybrain up`, or set "
                    "CITYBRAIN_DATABASE to the connection string of an existing PostgreSQL"
                ]
            )
        return file.read_text(encoding="utf-8").strip()


def load_settings() -> Settings:
    """Reads the environment; `Misconfigured` lists *all* mistakes."""
    try:
        return Settings()
    except ValidationError as error:
        raise Misconfigured(
            [
                f"CITYBRAIN_{'_'.join(str(p) for p in e['loc']).upper()}: {e['msg']}"
                for e in error.errors()
            ]
        ) from error
