"""Settings of the deliverer: `CITYBRAIN_DELIVER_*`, read once at start."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.delivery.backoff import Backoff
from api.delivery.guard import Network, parse_networks
from api.delivery.line import Limits
from streams.errors import Misconfigured


class DeliverSettings(BaseSettings):
    """One field per setting; the environment variable is `CITYBRAIN_DELIVER_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="CITYBRAIN_DELIVER_", extra="ignore")

    allow_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Private networks, `10.1.0.0/16,…`, that subscriptions with `inner_network` "
        "may reach, also by http; none: only public addresses, by https.",
    )
    timeout_s: float = Field(10.0, gt=0, le=120, description="Seconds that one attempt may take.")
    width: int = Field(
        4, ge=1, le=64, description="Alerts that are sent to one subscriber at the same time."
    )
    in_flight: int = Field(
        2000, ge=1, le=50_000, description="Attempts at the same time, to all subscribers."
    )
    first_pause_s: float = Field(
        1.0, gt=0, description="Pause after the first failure; doubles, with jitter."
    )
    most_pause_s: float = Field(900.0, gt=0, description="The longest pause.")
    attempts: int = Field(20, ge=1, le=1000, description="Failed attempts that make a dead letter.")
    give_up_s: float = Field(
        86_400.0, gt=0, description="Age at which a failed delivery becomes a dead letter."
    )
    heartbeat_s: float = Field(
        10.0, gt=0, description="Seconds between two heartbeats of a subscription."
    )
    people_every_s: float = Field(
        30.0, ge=0, description="Least seconds between two messages to the same person or group."
    )
    people_digest_s: float = Field(
        600.0,
        ge=0,
        description="Least seconds between two messages to people of an incident that goes on "
        "without becoming worse.",
    )
    keep_days: float = Field(
        30.0, gt=0, description="Days that finished deliveries are kept; of open alerts, longer."
    )
    kafka_forget_h: float = Field(
        168.0,
        ge=0,
        description="Hours after an alert's end at which `city.alert.v1` may forget it; 0: never. "
        "So long the outbox keeps its messages, too.",
    )
    smtp_host: str | None = Field(None, description="Server for mail; none: no mail.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_security: str = Field(
        "starttls",
        pattern="^(starttls|tls|none)$",
        description="How it is spoken with; `none` is for a server on loopback.",
    )
    smtp_user: str | None = Field(None, description="User, where the server wants one.")
    smtp_password: SecretStr | None = Field(None, description="Password; never logged.")
    smtp_from: str | None = Field(None, description="Sender's address of mail.")
    dingtalk_url: str = Field(
        "https://oapi.dingtalk.com/robot/send?access_token=",
        description="Where DingTalk's robots listen; the token comes after it.",
    )
    wecom_url: str = Field(
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=", description="WeCom's."
    )
    feishu_url: str = Field(
        "https://open.feishu.cn/open-apis/bot/v2/hook/", description="Feishu's."
    )

    @field_validator("allow_networks", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return tuple(p for p in given.split(",") if p) if isinstance(given, str) else given

    @field_validator("allow_networks")
    @classmethod
    def _are_networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        parse_networks(given)
        return given

    @model_validator(mode="after")
    def _mail_is_whole(self) -> DeliverSettings:
        if self.smtp_host and not self.smtp_from:
            raise ValueError("smtp_host needs smtp_from")
        return self

    def networks(self) -> tuple[Network, ...]:
        """The allowed networks."""
        return parse_networks(self.allow_networks)

    def limits(self) -> Limits:
        """The bounds of a subscriber's line."""
        return Limits(
            width=self.width,
            attempts=self.attempts,
            give_up_s=self.give_up_s,
            backoff=Backoff(self.first_pause_s, 2.0, self.most_pause_s),
        )


def load_deliver_settings() -> DeliverSettings:
    """Reads the environment; `Misconfigured` lists *all* mistakes."""
    try:
        return DeliverSettings()
    except ValidationError as error:
        raise Misconfigured(
            [
                f"CITYBRAIN_DELIVER_{'_'.join(str(p) for p in e['loc']).upper()}: {e['msg']}"
                for e in error.errors()
            ]
        ) from error
