"""Official warnings into the store: once each, whichever partition hears one first."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg.types.json import Jsonb

from streams.contracts.outcome import HeardWarning
from streams.storage.connect import Cursor

# Every partition hears the same message; the rows go in one order, so that two workers that store
# the same ones wait for each other and never in a circle.
ADD_WARNING = """
insert into official_warning (
    id, sender, identifier, sent, kind, status, form, issuers, event, type, severity, areas,
    area_text, language, headline, description, instruction, effective, onset, expires,
    expires_stated, series, refers, geometry, origin, source, heard, media_type, original)
values (
    %(id)s, %(sender)s, %(identifier)s, at_ms(%(sent_ms)s), %(kind)s, %(status)s, %(form)s,
    %(issuers)s, %(event)s, %(type)s, %(severity)s, %(areas)s, %(area_text)s, %(language)s,
    %(headline)s, %(description)s, %(instruction)s, at_ms(%(effective_ms)s), at_ms(%(onset_ms)s),
    at_ms(%(ends_ms)s), %(stated)s, %(series)s, %(refers)s, %(geometry)s, %(origin)s, %(source)s,
    at_ms(%(heard_ms)s), %(media_type)s, %(original)s)
on conflict (id) do nothing
"""
TEXTS = ("area_text", "headline", "description", "instruction", "event", "type", "language")


def write_warnings(cursor: Cursor, heard: Sequence[HeardWarning]) -> None:
    """Adds what is not there yet. In the caller's transaction."""
    rows = {one.announcement.warning.id: _row(one) for one in reversed(heard)}
    for id in sorted(rows):
        cursor.execute(ADD_WARNING, rows[id])


def _row(heard: HeardWarning) -> dict[str, object]:
    told, warning = heard.announcement, heard.announcement.warning
    return {
        **{name: _storable(getattr(warning, name)) for name in TEXTS},
        "id": warning.id,
        "sender": warning.sender,
        "identifier": warning.identifier,
        "sent_ms": warning.sent_ms,
        "kind": warning.kind.value,
        "status": warning.status.value,
        "form": warning.form.value,
        "issuers": [_storable(one) for one in warning.issuers],
        "severity": int(warning.severity),
        "areas": list(warning.areas),
        "effective_ms": warning.effective_ms,
        "onset_ms": warning.onset_ms,
        "ends_ms": heard.ends_ms,
        "stated": warning.expires_ms is not None,
        "series": _storable(warning.series),
        "refers": list(warning.refers),
        "geometry": None if warning.geometry is None else Jsonb(warning.geometry),
        "origin": told.origin.value,
        "source": told.source,
        "heard_ms": told.ingest_ms,
        "media_type": warning.media_type,
        "original": warning.original,
    }


def _storable(text: str) -> str:
    """PostgreSQL keeps no NUL; the original bytes do."""
    return text.replace("\x00", "\ufffd")
