"""A message to the public: draft → signed → sent, or refused. Pure.

Two people stand behind every message: its author and a commander who signs it. It is never edited:
what was wrong is refused and written anew, what was sent is corrected by another message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from api.actions.actor import Actor, Kind, NotAllowed, Role
from api.actions.refusal import Conflict, Refused

PEOPLE = frozenset({Kind.PERSON})
ANYBODY = frozenset({Kind.PERSON, Kind.PROGRAM})


class State(StrEnum):
    """Where a message stands."""

    DRAFT = "draft"
    SIGNED = "signed"  # may be sent
    SENT = "sent"  # who put it out has said so, with a reference
    REFUSED = "refused"


class Step(StrEnum):
    """What can be done with it."""

    SIGN = "sign"
    REFUSE = "refuse"
    SEND = "send"


BEFORE = {
    Step.SIGN: frozenset({State.DRAFT}),
    Step.REFUSE: frozenset({State.DRAFT, State.SIGNED}),
    Step.SEND: frozenset({State.SIGNED}),
}
AFTER = {Step.SIGN: State.SIGNED, Step.REFUSE: State.REFUSED, Step.SEND: State.SENT}


@dataclass(frozen=True, slots=True)
class Limits:
    """House conventions: most characters in Chinese and English, and how long it may hold."""

    zh: int = 300
    en: int = 800
    longest: timedelta = timedelta(hours=24)


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be said, where and until when; `corrects` is the message it takes the place of."""

    area: str
    text_zh: str
    text_en: str
    expires: datetime
    alert: str | None = None
    corrects: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message as far as its next step depends on it."""

    state: State
    author: str
    area: str
    expires: datetime
    exercise: bool
    digest: str


@dataclass(frozen=True, slots=True)
class Given:
    """What comes with a step. `digest`: what the signer read."""

    note: str = ""
    reference: str = ""
    digest: str = ""


NOTHING = Given()


def mistakes(draft: Draft, now: datetime, limits: Limits) -> list[str]:
    """What is wrong with the text or its time."""
    found = []
    if not draft.text_zh.strip():
        found.append("text_zh: a message needs a Chinese text")
    for name, text, most in (
        ("text_zh", draft.text_zh, limits.zh),
        ("text_en", draft.text_en, limits.en),
    ):
        if len(text) > most:
            found.append(f"{name}: {len(text)} characters, at most {most}")
    if draft.expires <= now:
        found.append("expires: lies in the past")
    elif draft.expires > now + limits.longest:
        found.append(f"expires: at most {limits.longest} from now; write a new one then")
    return found


def digest(draft: Draft) -> str:
    """What a signature is for: changes with every word, with the area and with the end."""
    parts = (
        draft.area,
        draft.text_zh,
        draft.text_en,
        str(int(draft.expires.timestamp() * 1000)),
        draft.alert or "",
        str(draft.corrects or ""),
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def next_state(
    message: Message, step: Step, by: Actor, now: datetime, given: Given = NOTHING
) -> State:
    """The state after the step.

    `NotAllowed` when this actor may not, `Conflict` when the step does not follow or the message
    has expired, `Refused` when something that the step needs is missing.
    """
    _check_actor(message, step, by)
    if message.state not in BEFORE[step]:
        raise Conflict(f"a message that is {message.state} cannot take the step {step}")
    if step is not Step.REFUSE and message.expires <= now:
        raise Conflict("the message has expired; write a new one")
    if step is Step.SEND and message.exercise:
        raise Conflict("a message of an exercise is never sent")
    if step is Step.SIGN and given.digest and given.digest != message.digest:
        raise Conflict("what was read is not what is stored; read it again")
    if missing := list(_missing(step, given)):
        raise Refused(missing)
    return AFTER[step]


def _check_actor(message: Message, step: Step, by: Actor) -> None:
    match step:
        case Step.SIGN:
            by.require_kind(PEOPLE, "to sign a message")
            by.require(Role.COMMANDER, message.area)
            if by.who == message.author:
                raise NotAllowed("the author of a message cannot sign it; ask another commander")
        case Step.REFUSE:
            by.require_kind(PEOPLE, "to refuse a message")
            if by.who != message.author:
                by.require(Role.COMMANDER, message.area)
        case Step.SEND:
            by.require_kind(ANYBODY, "to send a message")
            by.require(Role.REPORTER, message.area)


def _missing(step: Step, given: Given) -> Iterable[str]:
    if step is Step.REFUSE and not given.note.strip():
        yield "note: say why"
    if step is Step.SEND and not given.reference.strip():
        yield "reference: under what reference it was put out"
