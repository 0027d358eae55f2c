"""Who comes from an issuer gets an account here, with what the groups grant."""

from __future__ import annotations

from api.access.guard import Guard
from api.access.oidc import NotVouched, Person
from api.access.role import Grant
from api.access.secret import digest
from api.actions import accounts
from api.actions.accounts import AccountRow, By
from api.actions.database import Desk

NO_GROUP = (
    "none of your groups gives access here: ask an administrator",
    "您所在的组没有访问权限，请联系管理员。",
)


async def arrived(guard: Guard, person: Person, address: str) -> AccountRow:
    """The account of this person, with what is granted today. `NotVouched` for nothing."""
    known = guard.settings.grants_of_groups()
    grants = tuple(dict.fromkeys(grant for name in person.groups for grant in known.get(name, ())))
    async with guard.actions.acting(guard.namespace) as desk:
        login = await desk.value("account_of_subject", issuer=person.issuer, subject=person.subject)
        by = By(f"oidc:{person.subject}"[:200], guard.clock(), address)
        if login is None:
            login = await _new(desk, person, grants, by)
        row = await accounts.account(desk, str(login))
        await accounts.take_oidc_grants(desk, row, grants, by)
        row = await accounts.account(desk, row.login)
    if row.disabled_at is not None:
        raise NotVouched("this account is disabled here", "该账号已被停用。")
    if not row.grants:
        raise NotVouched(*NO_GROUP)
    return row


async def _new(desk: Desk, person: Person, grants: tuple[Grant, ...], by: By) -> str:
    """A new account's login; never that of somebody else."""
    if not grants:
        raise NotVouched(*NO_GROUP)
    login = accounts.OIDC_LOGIN.sub("-", person.login.lower()).lstrip("._@-")[:48] or "person"
    if await accounts.known(desk, login) is not None:
        login = f"{login}-{digest(person.issuer + ' ' + person.subject).hex()[:8]}"
    subject = person.issuer, person.subject
    await accounts.add(desk, login, by, name=person.name, grants=grants, subject=subject)
    return login
