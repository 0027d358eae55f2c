"""Accounts, keys and the audit, for administrators; one of an area sees and gives what is in it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from api.access import password as words
from api.access.caller import Caller
from api.access.guard import Guard, actor, guard_of, reach_here
from api.access.role import Grant, Reach, Role, Scope, reach_of
from api.actions import accounts, keys
from api.actions.accounts import AccountRow, By
from api.actions.audit import AuditRow, audit_lines
from api.actions.database import Desk
from api.actions.keys import KeyRow, Order
from api.moment import Moment
from api.paging import Paging, paging
from api.problem import RESPONSES, Problem, not_found
from api.routers.session import GrantItem
from api.strict import StrictRoute

router = APIRouter(route_class=StrictRoute, prefix="/access", tags=["access"], responses=RESPONSES)


class AccountItem(BaseModel):
    """A person's account."""

    login: str
    name: str
    issuer: str | None = Field(description="OpenID Connect: who vouches; null = a local account.")
    grants: list[GrantItem]
    disabled: Moment | None
    must_change_password: bool
    created: Moment
    created_by: str


class Accounts(BaseModel):
    """Accounts by login."""

    items: list[AccountItem]


class NewAccount(BaseModel):
    """A local account. The person changes the password at the first login."""

    model_config = ConfigDict(extra="forbid")

    login: str = Field(max_length=64, examples=["li.wei"])
    name: str = Field("", max_length=200)
    password: SecretStr = Field(max_length=1024)
    grants: list[GrantItem] = Field(min_length=1, max_length=100)


class Change(BaseModel):
    """What shall be different; null = stays."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=200)
    disabled: bool | None = None
    password: SecretStr | None = Field(None, max_length=1024)


class KeyItem(BaseModel):
    """A program's key, without what is secret of it."""

    id: str
    name: str
    scopes: list[str]
    areas: list[str]
    state: Literal["valid", "expired", "revoked"]
    created: Moment
    created_by: str
    expires: Moment | None
    used: Moment | None = Field(description="At most a minute old while the key is in use.")


class Keys(BaseModel):
    """Keys, the newest first."""

    items: list[KeyItem]


class NewKey(BaseModel):
    """A key for one program."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200, examples=["traffic signals"])
    scopes: list[Scope] = Field(min_length=1)
    areas: list[Annotated[str, Field(max_length=9)]] = Field(min_length=1, max_length=100)
    expires_days: int | None = Field(None, ge=1, le=keys.LONGEST_DAYS)


class MadeKey(BaseModel):
    """The only answer that has the key."""

    key: str = Field(description="Shown once: `Authorization: Bearer <key>`.")
    made: KeyItem


class AuditItem(BaseModel):
    """One line of the audit."""

    id: int
    at: Moment
    who: str
    what: str
    outcome: Literal["done", "refused"]
    times: int = Field(description="The same refusal again within a minute is counted.")
    address: str | None
    detail: dict[str, Any]


class AuditPage(BaseModel):
    """Lines of the audit, the newest first."""

    items: list[AuditItem]
    next: str | None


class Office:
    """An administrator at work: what of the accounts and keys they may see and give."""

    def __init__(self, caller: Caller, guard: Guard, reach: Reach) -> None:
        self.guard = guard
        self.reach = reach
        self.by = By(caller.who, guard.clock(), caller.address)

    def must_give(self, areas: list[str]) -> None:
        """`Problem` 403 for areas that are not the administrator's."""
        beyond = [area for area in areas if not self.reach.covers(area)]
        if beyond:
            raise Problem(403, f"You administer {self.reach}, not {', '.join(beyond)}.")

    async def account(self, desk: Desk, login: str) -> AccountRow:
        """The account; 404 also when something of it lies outside, or it is of no area."""
        row = await accounts.known(desk, login)
        if row is None or not self.sees(row):
            raise not_found("account", login)
        return row

    def sees(self, row: AccountRow) -> bool:
        """Whether all that the account may do lies inside."""
        areas = reach_of(grant.area for grant in row.granted())
        return self.reach.everything or (bool(areas.areas) and areas.within(self.reach))


def office(
    request: Request,
    caller: Annotated[Caller, Depends(actor)],
    guard: Annotated[Guard, Depends(guard_of)],
) -> Office:
    """Dependency: the administrator's office."""
    return Office(caller, guard, reach_here(request))


At = Annotated[Office, Depends(office)]


@router.get(
    "/accounts",
    summary="Accounts",
    description="Those all of whose grants lie in the administrator's areas.",
)
async def list_accounts(at: At) -> Accounts:
    async with at.guard.actions.acting(at.guard.namespace) as desk:
        rows = await accounts.accounts(desk)
    return Accounts(items=[account_item(row) for row in rows if at.sees(row)])


@router.post("/accounts", status_code=201, summary="Add an account", description="A local one.")
async def add_account(at: At, given: NewAccount) -> AccountItem:
    at.must_give([grant.area for grant in given.grants])
    hashed = await hashed_word(given.password, given.login)
    async with at.guard.actions.acting(at.guard.namespace) as desk:
        await accounts.add(
            desk,
            given.login,
            at.by,
            name=given.name,
            password=hashed,
            grants=[Grant(grant.role, grant.area) for grant in given.grants],
            must_change=True,
        )
        return account_item(await accounts.account(desk, given.login))


@router.get("/accounts/{login}", summary="One account", description="With its grants.")
async def one_account(at: At, login: str) -> AccountItem:
    async with at.guard.actions.acting(at.guard.namespace) as desk:
        return account_item(await at.account(desk, login))


@router.patch(
    "/accounts/{login}",
    summary="Change an account",
    description="Its name, a new password (to be changed at the next login), disabled or not. "
    "Disabling ends all its sessions.",
)
async def change_account(at: At, login: str, given: Change) -> AccountItem:
    hashed = None if given.password is None else await hashed_word(given.password, login)
    async with at.guard.actions.acting(at.guard.namespace) as desk:
        await at.account(desk, login)
        if given.name is not None:
            await accounts.rename(desk, login, given.name, at.by)
        if hashed is not None:
            await accounts.set_password(desk, login, hashed, at.by, must_change=True)
        if given.disabled is not None:
            await (accounts.disable if given.disabled else accounts.enable)(desk, login, at.by)
        return account_item(await accounts.account(desk, login))


@router.post(
    "/accounts/{login}/grants",
    status_code=201,
    summary="Grant a role",
    description="In an area and what lies in it.",
)
async def add_grant(at: At, login: str, given: GrantItem) -> AccountItem:
    at.must_give([given.area])
    async with at.guard.actions.acting(at.guard.namespace) as desk:
        await at.account(desk, login)
        await accounts.grant(desk, login, Grant(given.role, given.area), at.by)
        return account_item(await accounts.account(desk, login))


@router.delete(
    "/accounts/{login}/grants/{role}/{area}",
    summary="Take a role back",
    description="At once, also in sessions that run.",
)
async def take_grant(at: At, login: str, role: Role, area: str) -> AccountItem:
    async with at.guard.actions.acting(at.guard.namespace) as desk:
        await at.account(desk, login)
        await accounts.revoke(desk, login, Grant(role, area), at.by)
        return account_item(await accounts.account(desk, login))


@router.get(
    "/keys", summary="API keys", description="Those whose areas the administrator administers."
)
async def list_keys(at: At) -> Keys:
    async with at.guard.actions.acting(at.guard.namespace) as desk:
        rows = await keys.keys(desk)
    return Keys(items=[key_item(row, at.by.now) for row in rows if sees_key(at, row)])


@router.post(
    "/keys", status_code=201, summary="Make an API key", description="Its text is shown only now."
)
async def make_key(at: At, given: NewKey) -> MadeKey:
    at.must_give(given.areas)
    order = Order(given.name, given.scopes, given.areas, given.expires_days)
    async with at.guard.actions.acting(at.guard.namespace) as desk:
        made = await keys.create(desk, order, at.by)
        return MadeKey(key=made.text, made=key_item(await keys.key(desk, made.id), at.by.now))


@router.delete("/keys/{id}", summary="Revoke an API key", description="At once and for good.")
async def revoke_key(at: At, id: str) -> KeyItem:
    async with at.guard.actions.acting(at.guard.namespace) as desk:
        row = next((row for row in await keys.keys(desk) if row.id == id), None)
        if row is None or not sees_key(at, row):
            raise not_found("API key", id)
        return key_item(await keys.revoke(desk, id, at.by), at.by.now)


@router.get(
    "/audit",
    summary="Audit",
    description="Every change and every refused attempt, the newest first: who, what, from where. "
    "An administrator of an area sees what the accounts and keys of the area did.",
)
async def audit(
    at: At,
    page: Annotated[Paging, Depends(paging)],
    who: Annotated[str | None, Query(examples=["account:admin"])] = None,
    outcome: Annotated[Literal["done", "refused"] | None, Query()] = None,
) -> AuditPage:
    (before,) = page.key(int)
    async with at.guard.actions.acting(at.guard.namespace) as desk:
        known = None if at.reach.everything else await names_seen(at, desk)
        rows = await audit_lines(desk, who, outcome, known, before, page.limit + 1)
    kept, cursor = page.cut(rows, lambda row: (row.id,))
    return AuditPage(items=[audit_item(row) for row in kept], next=cursor)


async def names_seen(at: Office, desk: Desk) -> list[str]:
    """Accounts and keys of the administrator's areas, as the audit names them."""
    people = [f"account:{row.login}" for row in await accounts.accounts(desk) if at.sees(row)]
    return people + [f"key:{row.id}" for row in await keys.keys(desk) if sees_key(at, row)]


async def hashed_word(given: SecretStr, login: str) -> str:
    """The hash of a new password. `Problem` 422 when it is none."""
    text = given.get_secret_value()
    mistake = words.mistake_of(text, login)
    if mistake is not None:
        raise Problem(422, f"The password: {mistake}.")
    return await asyncio.to_thread(words.hashed, text)


def sees_key(at: Office, row: KeyRow) -> bool:
    """Whether all areas of the key are the administrator's."""
    return reach_of(row.areas).within(at.reach)


def account_item(row: AccountRow) -> AccountItem:
    """The row for people."""
    return AccountItem(
        login=row.login,
        name=row.name,
        issuer=row.issuer,
        grants=[GrantItem(role=g.role, area=g.area) for g in sorted(set(row.granted()), key=str)],
        disabled=row.disabled_at,
        must_change_password=row.must_change_password,
        created=row.created_at,
        created_by=row.created_by,
    )


def key_item(row: KeyRow, now: datetime) -> KeyItem:
    """The row for people."""
    return KeyItem.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "scopes": row.scopes,
            "areas": row.areas,
            "state": keys.state_of(row, now),
            "created": row.created_at,
            "created_by": row.created_by,
            "expires": row.expires_at,
            "used": row.used_at,
        }
    )


def audit_item(row: AuditRow) -> AuditItem:
    """The row for people."""
    return AuditItem.model_validate({name: getattr(row, name) for name in AuditItem.model_fields})
