"""What people do with deliveries: send dead letters again. Audited."""

from __future__ import annotations

from api.actions.subscription import touch
from api.actions.trail import record
from streams.storage.connect import Connection

# Where only the newest state of an alert counts, an older one is not sent after a newer one.
RETRY = """
update delivery d set state = case when (s.mode = 'latest_state' or s.channel <> 'webhook')
        and exists (
            select from delivery n where n.subscription = d.subscription and n.alert = d.alert
                and n.sequence > d.sequence and n.state <> 'dead')
        then 'superseded' else 'waiting' end,
    retried = true, attempts = 0, queued_at = now(),
    next_at = null, done_at = null
from subscription s
where d.subscription = %(subscription)s and d.state = 'dead' and s.id = d.subscription
    and s.removed_at is null and (%(sequence)s::bigint is null or d.sequence = %(sequence)s)
"""


class NothingToRetry(LookupError):
    """There is no such dead letter, or its subscription was removed."""


def split_id(id: str) -> tuple[str, int]:
    """Subscription and number of a delivery's id. Raises `NothingToRetry`."""
    subscription, _, sequence = id.rpartition("-")
    if not (subscription and sequence.isascii() and sequence.isdigit() and len(sequence) < 19):
        raise NothingToRetry(id)
    return subscription, int(sequence)


def retry(connection: Connection, subscription: str, sequence: int | None, who: str) -> int:
    """Puts one dead letter of a subscription, or all of them, back into its queue.

    It is sent under its old key and marked `retried`. Raises `NothingToRetry`.
    """
    given = {"subscription": subscription, "sequence": sequence}
    count = connection.execute(RETRY, given).rowcount
    if not count:
        raise NothingToRetry(subscription)
    touch(connection, subscription)
    record(connection, who, "delivery.retry", given | {"count": count})
    return count
