"""What a maintenance ticket is called where others speak of it: made of its content, so that two
runs call it alike. A ticket itself is `streams.contracts.domain.Ticket`."""

from __future__ import annotations

PREFIX = "ticket:"


def ticket_id(of: str, prop: str, kind: str, opened_ms: int) -> str:
    """`of`: the name of its sensor, or its subject where it is no single sensor's."""
    return f"{of}/{prop}/{kind}/{opened_ms}"


def by_ticket(suppressed_by: str | None) -> bool:
    """Whether what hides an alert is a ticket."""
    return suppressed_by is not None and suppressed_by.startswith(PREFIX)
