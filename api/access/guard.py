"""The check before every route: who asks, whether they may, and from where a change comes.

Credentials are looked at in this order: an API key (`Authorization: Bearer cb_…`), a session's
cookie, and, where reading is open, none at all. What is shown and wrong is refused, never ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from fastapi import Request

from api.access import secret
from api.access.caller import ANONYMOUS, Caller, lacking
from api.access.need import Need
from api.access.refusals import Refusal, Refusals
from api.access.role import ALL, EVERYTHING, Grant, Reach, Role, Scope, reach_of
from api.access.settings import AccessSettings, Opening
from api.actions.database import ActionDatabase
from api.problem import Problem
from api.queries.access_rows import ApiKeyRow, SessionRow
from api.queries.database import Database
from streams.errors import Unavailable

PREFIX = "/v1"
CSRF_HEADER = "x-citybrain-csrf"
CSRF = "csrf"
COOKIE = "citybrain_session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
USED_EVERY = timedelta(minutes=1)
CHALLENGE = {"www-authenticate": 'Bearer realm="citybrain"'}


def wall_clock() -> datetime:
    """Now; a guard is given it, so that a test may give another."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Guard:
    """What the check works with; owned by the app."""

    database: Database
    actions: ActionDatabase
    namespace: str  # where accounts, keys and sessions are
    settings: AccessSettings
    refusals: Refusals
    needs: Mapping[str, Need]
    clock: Callable[[], datetime] = wall_clock
    ask_every_s: float = 10.0  # whether who follows a stream still may

    async def identify(self, request: Request) -> Caller | None:
        """Who asks; None for nobody. `Problem` 401 for credentials that are not good (any more)."""
        header = request.headers.get("authorization")
        if header is not None:
            return await self._by_key(header, address_of(request))
        token = request.cookies.get(cookie_name(request))
        if token is not None:
            return await self.by_session(token, address_of(request))
        if self.settings.api_open is Opening.VIEWER:
            return Caller(ANONYMOUS, address_of(request), (Grant(Role.VIEWER, ALL),))
        return None

    async def still_admits(self, request: Request) -> bool:
        """Whether who follows a stream would be let in again, and see the same."""
        try:
            caller = await self.identify(request)
        except Problem:
            return False
        except Unavailable:
            return True  # nothing new is told meanwhile, and nobody can have ended it
        return caller is not None and caller.reach(request.state.need) == reach_here(request)

    async def _by_key(self, header: str, address: str) -> Caller:
        kind, _, text = header.partition(" ")
        id_ = secret.key_id(text.strip()) if kind.lower() == "bearer" else None
        if id_ is None:
            raise unauthorized("This is no API key: Authorization: Bearer cb_…")
        async with self.database.reading(self.namespace) as reader:
            row = await reader.row(ApiKeyRow, "key_of", id=id_)
        now = self.clock()
        if row is None or not secret.same(secret.digest(text.strip()).hex(), row.digest.hex()):
            raise unauthorized("This is no valid API key.")
        if row.revoked_at is not None:
            raise unauthorized("This API key was revoked.", f"key:{row.id}")
        if row.expires_at is not None and row.expires_at <= now:
            raise unauthorized("This API key has expired.", f"key:{row.id}")
        if row.used_at is None or now - row.used_at >= USED_EVERY:
            async with self.actions.acting(self.namespace) as desk:
                await desk.run("touch_key", id=row.id, now=now)
        scopes = frozenset(Scope(each) for each in row.scopes if each in set(Scope))
        return Caller(f"key:{row.id}", address, key=(scopes, reach_of(row.areas)))

    async def by_session(self, token: str, address: str) -> Caller:
        """The person of this session; `Problem` 401 when it has ended."""
        digest = secret.digest(token)
        async with self.database.reading(self.namespace) as reader:
            row = await reader.row(SessionRow, "session_of", digest=digest)
        now = self.clock()
        if row is None or row.expires_at <= now or row.seen_at + self.settings.idle <= now:
            raise unauthorized("This session has ended: log in again.")
        if row.disabled_at is not None:
            raise unauthorized("This account is disabled.", f"account:{row.login}")
        if now - row.seen_at >= USED_EVERY:
            async with self.actions.acting(self.namespace) as desk:
                await desk.run("touch_session", digest=digest, now=now)
        return Caller(
            f"account:{row.login}",
            address,
            tuple(Grant(Role(each["role"]), each["area"]) for each in row.grants),
            session=digest,
            must_change_password=row.must_change_password and row.method == "password",
        )


async def admitted(request: Request) -> None:
    """Dependency of every route: lets the caller in, or raises a `Problem`."""
    guard = guard_of(request)
    need = guard.needs[route_of(request)]
    request.state.need = need
    if need.public:
        if request.method not in SAFE:
            same_origin(request)
        return
    caller = await guard.identify(request)
    if caller is None:
        raise unauthorized("Log in, or send an API key: Authorization: Bearer cb_…")
    request.state.caller, request.state.who = caller, caller.who
    if request.method not in SAFE and caller.session is not None:
        same_origin(request)
        with_token(request)
    if caller.must_change_password and not need.own:
        raise Problem(403, "First change the password: POST /v1/session/password.")
    if not caller.reach(need).areas:
        raise Problem(403, lacking(caller, need))


def same_origin(request: Request) -> None:
    """`Problem` 403 when a browser says that another site's page asks.

    `Sec-Fetch-Site` decides where there is one: a proxy may have changed the host.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        foreign = site in ("cross-site", "same-site")
    else:
        foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if foreign:
        raise Problem(403, "This was asked by a page of another site.")


def with_token(request: Request) -> None:
    """`Problem` 403 without the word that only a page of ours, in this session, knows."""
    given = request.headers.get(CSRF_HEADER)
    token = request.cookies.get(cookie_name(request), "")
    if given is None or not secret.same(given, secret.derived(token, CSRF)):
        raise Problem(403, f"The header {CSRF_HEADER} is missing or wrong: GET /v1/session has it.")


def unauthorized(detail: str, who: str = ANONYMOUS) -> Problem:
    """401 with the challenge that HTTP asks for; `who` is known when only the time was wrong."""
    return Problem(401, detail, headers=CHALLENGE, who=who)


def guard_of(request: Request) -> Guard:
    """Dependency: the app's guard."""
    found: Guard = request.app.state.guard
    return found


def actor(request: Request) -> Caller:
    """Dependency: who was let in, for the audit and for what depends on their areas."""
    found: Caller = request.state.caller
    return found


def reach_here(request: Request) -> Reach:
    """Where the caller may do what this route does."""
    caller: Caller | None = getattr(request.state, "caller", None)
    return EVERYTHING if caller is None else caller.reach(request.state.need)


def must_cover(request: Request, area: str) -> None:
    """`Problem` 403 unless the caller has what this route needs in all of the area."""
    if not reach_here(request).covers(area):
        words = lacking(actor(request), request.state.need).removesuffix(".")
        raise Problem(403, f"{words} in {area}.")


def route_of(request: Request) -> str:
    """The route as the table of needs names it (a nested router's route knows no prefix)."""
    path = str(request.scope["route"].path_format)
    return f"{request.method} {PREFIX}{path.removeprefix(PREFIX)}"


def address_of(request: Request) -> str:
    """Where the request comes from, as far as the server knows."""
    return request.client.host if request.client is not None else "unknown"


def cookie_name(request: Request) -> str:
    """Over https a name that browsers keep from other hosts and from plain http."""
    return f"__Host-{COOKIE}" if request.url.scheme == "https" else COOKIE


async def note_refusal(request: Request, problem: Problem) -> None:
    """Tells the audit of a refused attempt; what is merely wrong or missing is none.

    Something that is not there for a caller with limited areas may be another area's: it counts.
    """
    need: Need | None = getattr(request.state, "need", None)
    hidden = problem.unseen and not reach_here(request).everything
    if need is None or not (hidden or problem.status in (401, 403, 429)):
        return
    guard = guard_of(request)
    caller: Caller | None = getattr(request.state, "caller", None)
    who = problem.who or (caller.who if caller else ANONYMOUS)
    refusal = Refusal(who, route_of(request), problem.status, address_of(request))
    await guard.refusals.note(
        refusal, {"path": request.url.path[:300], "detail": problem.detail[:300]} | problem.told
    )
