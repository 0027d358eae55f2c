"""A subscription as the deliverer works with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from api.delivery.filter import Filter


class Channel(StrEnum):
    """How a subscriber is reached."""

    WEBHOOK = "webhook"
    MAIL = "mail"
    DINGTALK = "dingtalk"
    WECOM = "wecom"
    FEISHU = "feishu"

    @property
    def for_people(self) -> bool:
        """People get what notifies, in words; programs get every transition."""
        return self is not Channel.WEBHOOK


class Mode(StrEnum):
    """Every transition, or of each alert only the present state."""

    EVERY = "every"
    LATEST_STATE = "latest_state"


class Language(StrEnum):
    """Of what people read."""

    ZH = "zh"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscriber's wish. Secrets never show in its repr."""

    id: str
    name: str
    channel: Channel
    target: str = field(repr=False)
    filter: Filter
    mode: Mode = Mode.EVERY
    language: Language = Language.ZH
    heartbeat: bool = True
    inner_network: bool = False
    secret: str | None = field(default=None, repr=False)
    previous_secret: str | None = field(default=None, repr=False)
    previous_until: datetime | None = None
    paused: bool = False
    after: int = -1
    version: int = 0
    opening: bool = False  # it has yet to be told what is open

    @property
    def latest(self) -> bool:
        """Whether a newer state of an alert makes older ones needless: always for people."""
        return self.mode is Mode.LATEST_STATE or self.channel.for_people

    def secrets(self, now: datetime) -> list[str]:
        """The secrets that sign now, the present one first."""
        found = [self.secret] if self.secret else []
        if self.previous_secret and self.previous_until and now < self.previous_until:
            found.append(self.previous_secret)
        return found
