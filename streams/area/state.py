"""What a checkpoint keeps of an area and of its lanes, besides days and history segments."""

from __future__ import annotations

from dataclasses import dataclass, field

from streams.alerting.track import BookState
from streams.area.learnt import Told
from streams.area.warnings import WarningState
from streams.quality.checks import QualityState
from streams.quality.presence import PresenceState
from streams.quality.silence import SilenceState
from streams.quality.watch import WatchState
from streams.windows.lane import LaneState


@dataclass(slots=True)
class LaneWorkState:
    """Of a lane; `domain` is the domain's own state in bytes, `learnt` what it told by day."""

    lane: LaneState
    quality: QualityState
    domain: bytes | None
    watch: WatchState | None = None
    presence: PresenceState | None = None
    learnt: Told = field(default_factory=dict)


@dataclass(slots=True)
class AreaState:
    """See the module. `told_*`: what the region was told last, by domain; the colour as JSON."""

    proc_ms: int
    sequence: int
    position: int
    origin: str
    gateway_of: dict[int, str]
    report_of: dict[int, int]
    told_active: dict[str, bool]
    told_hour: dict[str, int]
    silence: SilenceState
    book: BookState
    lanes: dict[str, LaneWorkState]
    told_risk: str = ""
    frames: dict[int, set[int]] = field(default_factory=dict)  # hour of ingest -> ids
    tickets: dict[str, int] = field(default_factory=dict)  # of the desk: open ones
    warnings: WarningState = field(default_factory=WarningState)
