"""Dead letters tried again: what goes back into the log, what cannot, and why not.

The append and the mark in the store are no one transaction (the log may be elsewhere). So the
frame of a try has an id that follows from the letters: made twice, the pipeline drops the second
one as repeated, or, hours later, its readings as duplicates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import msgspec

from deploy.dead_letter_words import ADVICE, Hope
from streams.catalog import Registry
from streams.contracts.again import Place, RefusedRow, rows_again
from streams.contracts.closing import Close, encode_close
from streams.contracts.codec import decode, encode
from streams.contracts.domain import Domain
from streams.contracts.frame import Frame, Record, Refusal
from streams.contracts.reason import Reason
from streams.contracts.warning import Announcement, encode_announcement
from streams.errors import InvalidEvent
from streams.log import Entry, Log
from streams.storage.connect import Connection
from streams.storage.dead_letters import StoredLetter, Wanted, mark, oldest_letters, taking

AT_ONCE = 500  # letters of one transaction, more only to keep the rows of one frame together


@dataclass(frozen=True, slots=True)
class Known:
    """What a try is checked against: the newest registry version and the domains installed."""

    registry: Registry
    domains: Mapping[str, Domain]


@dataclass(frozen=True, slots=True)
class Try:
    """Letters of one record, and what goes into the log for them: (partition, record)."""

    letters: tuple[StoredLetter, ...]
    id: str
    entries: tuple[tuple[int, Entry], ...]
    readings: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter that is not tried, and why."""

    letter: StoredLetter
    why: str


@dataclass(slots=True)
class Account:
    """What a retry did, or would do."""

    letters: int = 0
    frames: int = 0
    readings: int = 0
    kept: Counter[tuple[str, str]] = field(default_factory=Counter)  # (reason, why)

    def add(self, tries: Sequence[Try], kept: Sequence[Kept]) -> None:
        self.letters += sum(len(one.letters) for one in tries)
        self.frames += sum(len(one.entries) for one in tries)
        self.readings += sum(one.readings for one in tries)
        self.kept.update((one.letter.reason, one.why) for one in kept)


def retry(
    connection: Connection,
    open_log: Callable[[], Log] | None,
    wanted: Wanted,
    known: Known,
    *,
    force: bool,
    tell: Callable[[Account], None] = lambda _: None,
) -> Account:
    """Tries the wanted letters again, oldest first; `open_log` None only says what would happen.

    Letters that this very run makes are not tried. Raises `Unavailable`: run it again, what was
    done is marked.
    """
    account = Account()
    log = None if open_log is None else open_log()
    try:
        for some in _batches(oldest_letters(connection, wanted, AT_ONCE)):
            with taking(connection, [letter.id for letter in some]) as letters:
                tries, kept = plan(letters, known, force=force)
                if log is not None:
                    append(connection, log, tries)
            account.add(tries, kept)
            tell(account)
    finally:
        if log is not None:
            log.close()
    return account


def append(connection: Connection, log: Log, tries: Sequence[Try]) -> None:
    """Each into the log, and its mark, with the place of its first frame, into the transaction."""
    for one in tries:
        places = [(partition, log.append(partition, [entry])) for partition, entry in one.entries]
        mark(connection, [letter.id for letter in one.letters], one.id, *places[0])


def plan(
    letters: Sequence[StoredLetter], known: Known, *, force: bool
) -> tuple[list[Try], list[Kept]]:
    """What to append for these letters, ordered by id; rows of one frame become one frame."""
    tries: list[Try] = []
    kept: list[Kept] = []
    for _, group in groupby(letters, key=_record_of):
        hopeful: list[StoredLetter] = []
        for letter in group:
            why = why_not(letter, known, force=force)
            if why is None:
                hopeful.append(letter)
            else:
                kept.append(Kept(letter, why))
        if not hopeful:
            continue
        try:
            tries.append(_try(hopeful, known))
        except _Hopeless as error:
            kept += [Kept(letter, str(error)) for letter in hopeful]
    return tries, kept


def why_not(letter: StoredLetter, known: Known, *, force: bool) -> str | None:
    """Why a letter is not tried again; None when it is. `force` passes over what is only advice."""
    if letter.headers is None or letter.partition is None:
        return "stored by a version that did not keep the headers of the record"
    if letter.retried_at is not None and not force:
        return "was tried again already: what became of it is a matter of that try"
    if force:
        return None
    advice = ADVICE[Reason(letter.reason)]
    if advice.hope is Hope.NONE:
        return advice.why
    return _not_mended(letter, known)


class _Hopeless(Exception):
    """Nothing can be made of these letters, whatever is asked."""


def _try(letters: Sequence[StoredLetter], known: Known) -> Try:
    first, headers = letters[0], letters[0].read_headers()
    assert first.partition is not None, "checked by why_not"
    if first.row >= 0:
        place = Place(first.partition, first.position, tuple(letter.row for letter in letters))
        contents = [letter.content for letter in letters]
        frame = rows_again(headers, contents, place, first.domain)
        return _one(letters, frame, known)
    place = Place(first.partition, first.position)
    try:
        event = decode(Record(first.position, 0, headers, first.content))
    except InvalidEvent as error:
        raise _Hopeless(f"this version cannot read it either: {error.reason.value}") from error
    match event:
        case Frame():
            return _one(letters, replace(event, id=place.id), known)
        case Refusal():
            return _of_refusal(letters, event, place, known)
        case Announcement():
            entry = encode_announcement(event.warning, event.source, event.origin, event.ingest_ms)
            return Try(tuple(letters), event.warning.id, ((first.partition, entry),), 0)
        case Close():
            name = f"close-{event.alert}-{event.number}"
            return Try(tuple(letters), name, ((first.partition, encode_close(event)),), 0)
    raise _Hopeless("a tick or the activation of a version: nothing to try again")


def _one(letters: Sequence[StoredLetter], frame: Frame, known: Known) -> Try:
    assert letters[0].partition is not None, "checked by why_not"
    partition = known.registry.partitions.get(frame.area, letters[0].partition)
    return Try(tuple(letters), frame.id, ((partition, encode(frame)),), len(frame))


def _of_refusal(
    letters: Sequence[StoredLetter], refusal: Refusal, place: Place, known: Known
) -> Try:
    from sensors.gateway.directory import compile_directory
    from sensors.gateway.mqtt.again import read_refused

    directory = compile_directory(known.registry, known.domains)
    try:
        frames, refused = read_refused(refusal, directory, place.id)
    except InvalidEvent as error:
        raise _Hopeless(f"{error.reason.value}: {error.detail}") from error
    if not frames:
        raise _Hopeless(f"every reading is refused still: {refused[0].reason}")
    entries = tuple((partition, encode(frame)) for partition, frame in frames)
    return Try(tuple(letters), place.id, entries, sum(len(frame) for _, frame in frames))


def _not_mended(letter: StoredLetter, known: Known) -> str | None:
    """What the reason of a letter says is missing, if it is missing still."""
    registry, reason = known.registry, Reason(letter.reason)
    if reason in (Reason.UNKNOWN_AREA, Reason.FOREIGN_AREA) and letter.row < 0:
        if letter.area not in registry.partitions:
            return "the registry still knows no such area with a partition"
    elif reason is Reason.UNKNOWN_DOMAIN and letter.domain not in known.domains:
        return "the domain is still not installed"
    elif letter.row >= 0 and letter.domain in known.domains:
        return _row_not_mended(letter, known)
    return None


def _row_not_mended(letter: StoredLetter, known: Known) -> str | None:
    row = msgspec.json.decode(letter.content, type=RefusedRow)
    sensor = known.registry.sensors.get(row.sensor)
    if sensor is None:
        return "the registry still knows no such sensor"
    if known.registry.points[sensor.point].area != letter.area:
        return "the sensor still stands in another area than its frame says"
    if row.property not in sensor.properties:
        return "the registry still gives the sensor no such property"
    return None


def _record_of(letter: StoredLetter) -> tuple[int | None, int, int]:
    """Rows of one record share it; whole records have one each (a refusal may come as several)."""
    return letter.partition, letter.position, -1 if letter.row >= 0 else letter.id


def _batches(letters: Iterable[StoredLetter]) -> Iterator[list[StoredLetter]]:
    batch: list[StoredLetter] = []
    for _, group in groupby(letters, key=_record_of):
        batch += group
        if len(batch) >= AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
