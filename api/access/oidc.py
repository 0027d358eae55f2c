"""OpenID Connect: authorization code with PKCE, state and nonce; ID tokens checked by joserfc.

All three words are derived from one secret in a cookie of the browser that began, so that an answer
counts only there; nothing of a login that was begun is stored.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from api.access.secret import derived
from api.access.settings import AccessSettings
from streams.errors import Unavailable

# A secret that both sides know, or none at all, signs nothing here.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
LEEWAY_S = 60
KEEP_S = 3600.0  # discovery and keys
ASK_AGAIN_S = 60.0  # at most so often because of a key that is not known
TIMEOUT_S = 5.0
MOST_BYTES = 1 << 20


class NotVouched(Exception):
    """The issuer did not say who this is, or not so that it can be believed; in words."""

    def __init__(self, why: str, zh: str = "身份提供方没有给出可信的身份证明。") -> None:
        super().__init__(why)
        self.zh = zh


@dataclass(frozen=True, slots=True)
class Person:
    """Who the issuer says it is."""

    issuer: str
    subject: str
    login: str
    name: str
    groups: tuple[str, ...]


@dataclass(slots=True)
class Issuer:
    """Talks with the issuer; owned by the app."""

    settings: AccessSettings
    clock: Callable[[], float] = time.time
    _discovery: Mapping[str, Any] = field(default_factory=dict)
    _keys: KeySet | None = None
    _discovered_at: float = 0.0
    _keys_at: float = 0.0

    async def address(self, flow: str) -> str:
        """Where to send the browser that holds the secret `flow`."""
        where = await self._discovered()
        challenge = hashlib.sha256(derived(flow, "verifier").encode()).digest()
        given = {
            "response_type": "code",
            "client_id": self.settings.oidc_client_id,
            "redirect_uri": self.settings.oidc_redirect,
            "scope": self.settings.oidc_scopes,
            "state": derived(flow, "state"),
            "nonce": derived(flow, "nonce"),
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        start = str(where["authorization_endpoint"])
        return f"{start}{'&' if '?' in start else '?'}{urlencode(given)}"

    async def person(self, code: str, flow: str) -> Person:
        """Who logged in there. Raises `NotVouched` or `Unavailable`."""
        where = await self._discovered()
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.settings.oidc_redirect,
            "code_verifier": derived(flow, "verifier"),
        }
        client, secret = self.settings.oidc_client_id, self.settings.oidc_client_secret
        how: dict[str, Any] = {"data": given | {"client_id": client}}
        if secret is not None:  # RFC 6749 §2.3.1: both are form-encoded first
            words = quote_plus(client), quote_plus(secret.get_secret_value())
            how = {"data": given, "auth": httpx.BasicAuth(*words)}
        answer = await self._ask("POST", str(where["token_endpoint"]), **how)
        text = answer.get("id_token")
        if not isinstance(text, str):
            said = answer.get("error_description") or answer.get("error") or "no ID token"
            raise NotVouched(f"the issuer gave none: {str(said)[:200]}")
        return person_of(await self._claims(text, derived(flow, "nonce")), self.settings)

    async def _claims(self, text: str, nonce: str) -> Mapping[str, Any]:
        keys = await self._key_set()
        try:
            return verified(text, keys, self.settings, nonce, int(self.clock()))
        except NotVouched:
            if self.clock() - self._keys_at < ASK_AGAIN_S:
                raise
        self._keys = None  # the issuer may have changed its keys
        return verified(text, await self._key_set(), self.settings, nonce, int(self.clock()))

    async def _discovered(self) -> Mapping[str, Any]:
        if not self._discovery or self.clock() - self._discovered_at > KEEP_S:
            base = self.settings.oidc_issuer.rstrip("/")
            found = await self._ask("GET", f"{base}/.well-known/openid-configuration")
            if str(found.get("issuer", "")).rstrip("/") != base:
                raise Unavailable(f"OpenID Connect: {base} says that it is {found.get('issuer')!r}")
            self._discovery, self._keys = found, None
            self._discovered_at = self.clock()
        return self._discovery

    async def _key_set(self) -> KeySet:
        if self._keys is None:
            where = await self._discovered()
            found = await self._ask("GET", str(where["jwks_uri"]))
            self._keys_at = self.clock()
            try:
                self._keys = KeySet.import_key_set({"keys": list(found["keys"])})
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise Unavailable("OpenID Connect: the issuer's keys cannot be read") from error
        return self._keys

    async def _ask(self, method: str, url: str, **given: Any) -> Mapping[str, Any]:
        try:
            async with (
                httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client,
                client.stream(method, url, **given) as answer,
            ):
                body = b""
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > MOST_BYTES:
                        raise Unavailable(f"OpenID Connect: the answer of {url} is too long")
                if answer.status_code >= 500:
                    raise Unavailable(f"OpenID Connect: {url} answers {answer.status_code}")
            content = httpx.Response(200, content=body).json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(f"OpenID Connect: {url} does not answer as it should") from error
        return content if isinstance(content, dict) else {}


def verified(
    text: str, keys: KeySet, settings: AccessSettings, nonce: str, now_s: int
) -> Mapping[str, Any]:
    """The claims of an ID token. `NotVouched` unless signature, issuer, audience, times and nonce
    are as they must be (OpenID Connect Core 1.0 §3.1.3.7)."""
    registry = JWTClaimsRegistry(
        now=now_s,
        leeway=LEEWAY_S,
        iss={"essential": True, "value": settings.oidc_issuer},
        aud={"essential": True, "value": settings.oidc_client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        claims = jwt.decode(text, keys, algorithms=list(ALGORITHMS)).claims
        registry.validate(claims)
    except (JoseError, ValueError, TypeError) as error:
        raise NotVouched(f"the ID token is not good: {_words(error)}") from error
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else settings.oidc_client_id) != settings.oidc_client_id:
        raise NotVouched("the ID token is for another client")
    return dict(claims)


def person_of(claims: Mapping[str, Any], settings: AccessSettings) -> Person:
    """Who the claims tell of."""
    groups = claims.get(settings.oidc_groups_claim)
    return Person(
        settings.oidc_issuer,
        str(claims["sub"]),
        str(claims.get(settings.oidc_login_claim) or claims["sub"]),
        str(claims.get("name") or ""),
        tuple(map(str, groups)) if isinstance(groups, list) else (),
    )


def _words(error: Exception) -> str:
    return str(error)[:200] or type(error).__name__
