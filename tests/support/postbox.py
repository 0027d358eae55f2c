"""A real SMTP server on loopback that keeps what it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.process import wait_until
from tests.support.mosquitto import free_port

PATIENCE_S = 60.0


class Postbox:
    """What an SMTP server took; refuses the first so many."""

    def __init__(self) -> None:
        self.refuse = 0
        self.letters: list[EmailMessage] = []
        self.port = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuse > 0:
            self.refuse -= 1
            return "451 try again later"
        content = envelope.content
        assert isinstance(content, bytes)
        letter = BytesParser(policy=default).parsebytes(content)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 queued as 17"

    def until(self, condition: Callable[[], bool]) -> None:
        """Waits for it, with a deadline."""
        assert wait_until(condition, PATIENCE_S, 0.1)


def posting() -> Iterator[Postbox]:
    """For a fixture."""
    box = Postbox()
    box.port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


def smtp(box: Postbox) -> dict[str, Any]:
    """The deliverer's settings for it."""
    return {
        "smtp_host": "127.0.0.1",
        "smtp_port": box.port,
        "smtp_security": "none",
        "smtp_from": "citybrain@city.example",
    }
