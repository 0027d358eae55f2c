"""Whether a message about an alert is Actual, Exercise or Test, and whether anybody is told.

From what the namespace is for and where the reading came from; no caller can ask for another.
"""

from __future__ import annotations

from streams.contracts.reason import NamespaceKind, Origin

TESTING = (NamespaceKind.REPLAY, NamespaceKind.VERIFY)


def message_status(kind: NamespaceKind, origin: Origin) -> str:
    """CAP status: Actual only for live input in the live namespace (design §4, origin)."""
    if kind is NamespaceKind.LIVE and origin is Origin.LIVE:
        return "Actual"
    if kind in TESTING or origin is Origin.REPLAYED:
        return "Test"
    return "Exercise"


def may_notify(kind: NamespaceKind, origin: Origin) -> bool:
    """Old recordings (a replay, a backfill of the live store) revise figures and tell nobody."""
    return message_status(kind, origin) != "Test"
