"""OpenID Connect issuers on loopback: one that lies on demand, and one that others wrote."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from pydantic import SecretStr

from api.access.settings import AccessSettings
from tests.support.served import served

CLIENT = "citybrain"
PATIENCE_S = 20.0


def settings_for(
    issuer: str, callback: str, grants: Mapping[str, list[str]], secret: str | None = None
) -> AccessSettings:
    """Settings of an app that trusts this issuer."""
    return AccessSettings.model_construct(
        oidc_issuer=issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret=None if secret is None else SecretStr(secret),
        oidc_redirect=callback,
        oidc_grants=json.dumps(grants),
        oidc_name="统一登录 SSO",
    )


@dataclass
class Lying:
    """An issuer whose next ID token is what a test wants."""

    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    url: str = ""
    challenge: str = ""  # of the login that was begun
    nonce: str = ""
    groups: list[str] = field(default_factory=list)
    forge: Callable[[dict[str, Any]], str] | None = None

    def claims(self, **other: Any) -> dict[str, Any]:
        """Those of an honest token."""
        now = int(time.time())
        return {
            "iss": self.url,
            "sub": "person-1",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            "preferred_username": "Li.Wei",
            "name": "李伟",
            "groups": self.groups,
        } | other

    def signed(self, claims: Mapping[str, Any], key: RSAKey | None = None) -> str:
        """A token with the issuer's key, or another."""
        used = key or self.key
        return jwt.encode({"alg": "RS256", "kid": used.kid}, dict(claims), used)

    def heed(self, location: str) -> str:
        """Takes what a login was begun with out of the redirection; gives its state."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert asked["code_challenge_method"] == "S256"
        assert asked["response_type"] == "code"
        self.challenge, self.nonce = asked["code_challenge"], asked["nonce"]
        return asked["state"]

    def token(self, form: Mapping[str, list[str]]) -> dict[str, Any]:
        """The answer for a code: only to who began (RFC 7636)."""
        verifier = form["code_verifier"][0]
        digest = hashlib.sha256(verifier.encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != self.challenge:
            return {"error": "invalid_grant"}
        claims = self.claims()
        return {"id_token": self.forge(claims) if self.forge else self.signed(claims)}


@contextmanager
def lying_issuer() -> Iterator[Lying]:
    """It runs."""
    issuer = Lying()
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    def discovery() -> dict[str, Any]:
        return {
            "issuer": issuer.url,
            "authorization_endpoint": f"{issuer.url}/authorize",
            "token_endpoint": f"{issuer.url}/token",
            "jwks_uri": f"{issuer.url}/keys",
        }

    @app.get("/keys")
    def keys() -> Any:
        return KeySet([issuer.key]).as_dict(private=False)

    @app.post("/token")
    async def token(request: Request) -> dict[str, Any]:
        return issuer.token(parse_qs((await request.body()).decode()))

    with served(app) as client:
        issuer.url = str(client.base_url).rstrip("/")
        yield issuer


@contextmanager
def mock_provider(users: list[dict[str, Any]]) -> Iterator[str]:
    """The address of oidc-provider-mock, a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    claims = [part for user in users for part in ("--user-claims", json.dumps(user))]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "-p", str(port), *claims],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not _answers(url):
            assert time.monotonic() < deadline, "oidc-provider-mock does not answer"
            assert process.poll() is None, "oidc-provider-mock ended"
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/.well-known/openid-configuration").status_code == 200
    except httpx.TransportError:
        return False
