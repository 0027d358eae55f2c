"""How old the data on the page may become before it says so: house conventions.

Two ages, by two clocks. *Standing*: by the wall, since the newest record that is processed came
into the log; workers append a tick every second, so that a quiet city does not stand. *Silent*: by
the namespace's own clock, since the newest reading was measured.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.errors import Misconfigured

BEATS = 3  # heartbeats that may be missing before the page takes the connection for lost


class FreshnessSettings(BaseSettings):
    """One field per setting; the environment variable is `CITYBRAIN_FRESH_<FIELD>` in capitals."""

    model_config = SettingsConfigDict(env_prefix="CITYBRAIN_FRESH_", extra="ignore")

    standing_slow_s: float = Field(
        10.0, gt=0, description="Seconds without a processed record after which the page warns."
    )
    standing_bad_s: float = Field(
        60.0, gt=0, description="… after which it says that the data stand still."
    )
    silent_slow_s: float = Field(
        300.0,
        gt=0,
        description="Age of the newest reading, in seconds of the namespace's own clock, after "
        "which the page warns; more where all sources report by the hour.",
    )
    silent_bad_s: float = Field(
        1800.0, gt=0, description="… after which it says that the sources are silent."
    )
    behind_records: int = Field(
        200, ge=1, description="Records that wait for the worker before the page says so."
    )
    lost_s: float = Field(
        9.0,
        ge=0.3,
        description="Seconds without a word from the server after which the page takes the "
        "connection for lost; the server sends three heartbeats in that time.",
    )

    @model_validator(mode="after")
    def _slow_comes_first(self) -> Self:
        if self.standing_slow_s > self.standing_bad_s or self.silent_slow_s > self.silent_bad_s:
            raise ValueError("what is slow must not come after what is bad")
        return self

    @property
    def beat_s(self) -> float:
        """A follower hears something at least so often."""
        return self.lost_s / BEATS

    @classmethod
    def load(cls) -> Self:
        """Reads the environment; `Misconfigured` lists all mistakes."""
        try:
            return cls()
        except ValidationError as error:
            raise Misconfigured(
                [
                    f"CITYBRAIN_FRESH_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}"
                    for e in error.errors()
                ]
            ) from error
