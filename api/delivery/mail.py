"""Mail by SMTP: one message to all addresses of a subscription."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import aiosmtplib

from api.delivery.outcome import Outcome, shorten
from api.delivery.settings import DeliverSettings
from api.delivery.subscription import Subscription
from api.delivery.target import addresses
from api.delivery.wording import Letter

MOST_BYTES = 100_000


class MailSender:
    """Sends through the server of the settings; a connection for each message."""

    def __init__(self, settings: DeliverSettings) -> None:
        self._settings = settings

    async def send(self, to: Subscription, id: str, letter: Letter) -> Outcome:
        """One attempt. Never raises but for cancellation."""
        settings = self._settings
        if not settings.smtp_host:
            return Outcome(False, error="CITYBRAIN_DELIVER_SMTP_HOST is not set: no mail")
        message = self._message(to, id, letter)
        password = settings.smtp_password
        try:
            refused, answer = await aiosmtplib.send(
                message,
                sender=settings.smtp_from,
                recipients=addresses(to.target),
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                username=settings.smtp_user,
                password=password.get_secret_value() if password else None,
                use_tls=settings.smtp_security == "tls",
                start_tls=settings.smtp_security == "starttls",
                timeout=settings.timeout_s,
            )
        except aiosmtplib.SMTPRecipientsRefused:
            return Outcome(False, error="the server refuses all addresses")
        except aiosmtplib.SMTPResponseException as error:
            return Outcome(False, error.code, shorten(f"{error.code} {error.message}"))
        except (aiosmtplib.SMTPException, OSError) as error:
            return Outcome(False, error=shorten(str(error) or type(error).__name__))
        if refused:
            return Outcome(True, 250, shorten(f"refused for {len(refused)} addresses"))
        return Outcome(True, 250, receipt=shorten(answer))

    def _message(self, to: Subscription, id: str, letter: Letter) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        sender = self._settings.smtp_from or ""
        message["From"] = sender
        message["To"] = ", ".join(addresses(to.target))
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = f"<{id}@{sender.rpartition('@')[2] or 'citybrain'}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text(MOST_BYTES, to.language) + "\n")
        return message
