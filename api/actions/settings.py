"""Settings of what people and programs do with alerts: deadlines and limits, house conventions."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.actions import alert_action, callout, closure, message
from api.actions.advance import Plan
from streams.contracts.reason import Severity
from streams.errors import Misconfigured


class ActingSettings(BaseSettings):
    """One field per setting; the environment variable is `CITYBRAIN_ACTING_<FIELD>` in capitals."""

    model_config = SettingsConfigDict(env_prefix="CITYBRAIN_ACTING_", extra="ignore")

    order_min: float = Field(
        5, gt=0, description="Minutes after which advice to close a road is overdue."
    )
    confirm_min: float = Field(
        15, gt=0, description="Minutes after which an ordered closure must be confirmed."
    )
    answer_min: float = Field(
        5, gt=0, description="Minutes to answer a call-out, then the next one up is called."
    )
    acting_min: float = Field(
        15, gt=0, description="Minutes after which a called level must have confirmed that it acts."
    )
    severity: int = Field(
        3, ge=1, le=4, description="From this severity on a road closure is advised (3 = orange)."
    )
    closure_domains: str = Field(
        "waterlogging", description="Domains whose alerts advise closures, by commas."
    )
    callout_domains: str = Field(
        "waterlogging,weather", description="Domains whose alerts call out, by commas."
    )
    incident_gap_min: float = Field(
        30,
        ge=0,
        description="Minutes without a firing alert after which an incident is over; a new alert "
        "within them joins it.",
    )
    silence_h: float = Field(12, gt=0, description="Longest silence of an alert, in hours.")
    message_h: float = Field(
        24, gt=0, description="Longest validity of a public message, in hours."
    )
    message_zh: int = Field(300, ge=1, description="Most characters of its Chinese text.")
    message_en: int = Field(800, ge=1, description="Most characters of its English text.")

    def plan(self) -> Plan:
        """What follows from alerts by itself."""
        return Plan(
            _names(self.closure_domains),
            _names(self.callout_domains),
            Severity(self.severity),
            self.closure_limits(),
            self.callout_limits(),
        )

    def incident_gap_ms(self) -> int:
        """How long it is quiet before an incident is over."""
        return round(self.incident_gap_min * 60_000)

    def closure_limits(self) -> closure.Limits:
        """Of road closures."""
        return closure.Limits(
            timedelta(minutes=self.order_min), timedelta(minutes=self.confirm_min)
        )

    def callout_limits(self) -> callout.Limits:
        """Of call-outs."""
        return callout.Limits(
            timedelta(minutes=self.answer_min), timedelta(minutes=self.acting_min)
        )

    def action_limits(self) -> alert_action.Limits:
        """Of what people do with an alert."""
        return alert_action.Limits(timedelta(hours=self.silence_h))

    def message_limits(self) -> message.Limits:
        """Of public messages."""
        return message.Limits(self.message_zh, self.message_en, timedelta(hours=self.message_h))


def load_acting_settings() -> ActingSettings:
    """Reads the environment; `Misconfigured` lists *all* mistakes."""
    try:
        return ActingSettings()
    except ValidationError as error:
        raise Misconfigured(
            [
                f"CITYBRAIN_ACTING_{'_'.join(str(p) for p in e['loc']).upper()}: {e['msg']}"
                for e in error.errors()
            ]
        ) from error


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())
