"""Settings of `citybrain dashboards`: which Grafana, with which token, into which folder."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.errors import Misconfigured


class GrafanaSettings(BaseSettings):
    """One field per setting; the variable is `CITYBRAIN_GRAFANA_<FIELD>` in capitals."""

    model_config = SettingsConfigDict(env_prefix="CITYBRAIN_GRAFANA_", extra="ignore")

    url: str | None = Field(None, description="Address of Grafana, `https://grafana.example/`.")
    token: SecretStr | None = Field(
        None, description="Token of a service account with the role Editor; never logged."
    )
    folder: str = Field(
        "citybrain",
        pattern=r"^[A-Za-z0-9_-]{1,40}$",
        description="Uid of the folder that the dashboards live in; made when it is missing.",
    )
    datasource: str = Field(
        "citybrain",
        pattern=r"^[A-Za-z0-9_-]{1,40}$",
        description="Uid of the PostgreSQL data source that they ask.",
    )
    api: str = Field(
        "http://127.0.0.1:8600",
        pattern=r"^https?://[^\s$]+$",
        description="Where readers' browsers reach the API: for links to the evidence.",
    )
    timeout_s: float = Field(10.0, gt=0, le=300, description="Seconds that Grafana may take.")


def load_grafana_settings() -> GrafanaSettings:
    """Reads the environment; `Misconfigured` lists *all* mistakes."""
    try:
        return GrafanaSettings()
    except ValidationError as error:
        raise Misconfigured(
            [
                f"CITYBRAIN_GRAFANA_{'_'.join(str(p) for p in e['loc']).upper()}: {e['msg']}"
                for e in error.errors()
            ]
        ) from error


def address_of(settings: GrafanaSettings) -> tuple[str, str]:
    """Address and token. `Misconfigured`: one is missing, or the token would travel readable."""
    mistakes = []
    if not settings.url:
        mistakes.append("CITYBRAIN_GRAFANA_URL is not set: the address of Grafana")
    if settings.token is None or not settings.token.get_secret_value():
        mistakes.append(
            "CITYBRAIN_GRAFANA_TOKEN is not set: make a service account with the role Editor in "
            "Grafana (Administration, Users and access) and give it a token"
        )
    if settings.url:
        parts = urlsplit(settings.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            mistakes.append("CITYBRAIN_GRAFANA_URL must be https://host/ without user and password")
        elif parts.scheme == "http" and not _is_loopback(parts.hostname):
            mistakes.append("CITYBRAIN_GRAFANA_URL must be https: the token would travel readable")
    if mistakes or settings.url is None or settings.token is None:
        raise Misconfigured(mistakes)
    return settings.url, settings.token.get_secret_value()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
