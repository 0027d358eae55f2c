"""Settings of access. Prefix `CITYBRAIN_`; the numbers are house numbers (H)."""

from __future__ import annotations

import json
from datetime import timedelta
from enum import StrEnum
from typing import Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.access.role import Grant, read_grant
from streams.errors import Misconfigured

_LOOPBACK = ("http://127.0.0.1", "http://localhost", "http://[::1]")


class Opening(StrEnum):
    """Who may read without credentials."""

    NONE = "none"
    VIEWER = "viewer"


class AccessSettings(BaseSettings):
    """One field per setting; the environment variable is `CITYBRAIN_<FIELD>` in capitals."""

    model_config = SettingsConfigDict(env_prefix="CITYBRAIN_", extra="ignore", frozen=True)

    api_open: Opening = Field(
        Opening.NONE,
        description="`viewer`: whoever reaches the API reads everything without credentials (a "
        "display wall, a trial); nobody writes. `none`: nobody does anything without.",
    )
    session_idle_minutes: int = Field(
        60, ge=1, le=1440, description="Minutes without a request after which a session has ended."
    )
    session_hours: int = Field(
        12, ge=1, le=168, description="Hours after which it has ended, however much it is used."
    )
    oidc_issuer: str = Field(
        "", description="OpenID Connect: address of the issuer; empty = no such login."
    )
    oidc_client_id: str = Field("", description="Our id at the issuer.")
    oidc_client_secret: SecretStr | None = Field(
        None, description="Our secret there; empty for a public client. Never logged."
    )
    oidc_redirect: str = Field(
        "",
        description="Where the issuer sends people back to, as registered there: "
        "`https://<host>/v1/session/oidc/callback`.",
    )
    oidc_scopes: str = Field("openid profile", description="Scopes to ask for.")
    oidc_groups_claim: str = Field(
        "groups", description="Claim of the ID token that lists a person's groups."
    )
    oidc_login_claim: str = Field(
        "preferred_username", description="Claim that becomes the login; without it the subject."
    )
    oidc_grants: str = Field(
        "{}",
        description='JSON: group → list of `role@area`, `{"flood-desk": ["operator@330106"]}`. '
        "In force from a person's next login.",
    )
    oidc_name: str = Field("OIDC", description="What the button on the page calls it.")

    @property
    def idle(self) -> timedelta:
        return timedelta(minutes=self.session_idle_minutes)

    @property
    def longest(self) -> timedelta:
        return timedelta(hours=self.session_hours)

    @property
    def has_oidc(self) -> bool:
        return bool(self.oidc_issuer)

    def grants_of_groups(self) -> dict[str, tuple[Grant, ...]]:
        """What each group is granted. `ValueError` says what cannot be read."""
        try:
            given = json.loads(self.oidc_grants)
        except ValueError as error:
            raise ValueError(f"is no JSON: {error}") from error
        if not isinstance(given, dict) or not all(isinstance(v, list) for v in given.values()):
            raise ValueError("must be an object of lists: group → [role@area, …]")
        return {
            group: tuple(read_grant(str(text)) for text in texts) for group, texts in given.items()
        }

    def mistakes(self) -> list[str]:
        """What no single field can tell."""
        if not self.has_oidc:
            return []
        found = []
        for name in ("oidc_issuer", "oidc_redirect"):
            text = getattr(self, name)
            if not text.startswith(("https://", *_LOOPBACK)):
                found.append(f"{_variable(name)}: {text!r} must begin with https://")
        if not self.oidc_client_id:
            found.append(f"{_variable('oidc_client_id')} is needed beside the issuer")
        try:
            self.grants_of_groups()
        except ValueError as error:
            found.append(f"{_variable('oidc_grants')} {error}")
        return found

    @classmethod
    def load(cls) -> Self:
        """Reads the environment; `Misconfigured` lists *all* mistakes."""
        try:
            settings = cls()
        except ValidationError as error:
            raise Misconfigured(
                [f"{_variable('_'.join(map(str, e['loc'])))}: {e['msg']}" for e in error.errors()]
            ) from error
        mistakes = settings.mistakes()
        if mistakes:
            raise Misconfigured(mistakes)
        return settings


def _variable(name: str) -> str:
    return f"CITYBRAIN_{name.upper()}"
