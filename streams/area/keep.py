"""An area's checkpoint: core state and days as parts, accepted readings as appended segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streams.area.looking import Looking
from streams.area.process import Area
from streams.area.state import AreaState
from streams.area.versions import Versions
from streams.area.view import ViewState, keep, recall
from streams.contracts import state as state_bytes
from streams.contracts.frame import Int64
from streams.contracts.reason import Origin
from streams.quality.watch import PastState
from streams.windows.chunk import join, pack
from streams.windows.lane import KEEP_MS, Day, Lane


class AreaKeeper:
    """Saves and loads one area. Keys begin with `area/<code>`."""

    def __init__(self, area: Area) -> None:
        self._area = area
        self._prefix = f"area/{area.code}"

    def save(
        self,
        parts: dict[str, bytes | None],
        segments: dict[str, tuple[int, bytes]],
        dropped: list[tuple[str, int]],
        everything: bool = False,
    ) -> None:
        """Adds what changed since the last save; history is only ever appended."""
        for name, seat in self._area.seats.items():
            lane, key = seat.work.lane, f"{self._prefix}/{name}"
            self._save_history(lane, key, segments, dropped)
            for day in sorted(lane.days if everything else lane.dirty_days):
                parts[f"{key}/day/{day}"] = state_bytes.dump(lane.days[day])
            for day in sorted(lane.dropped_days):
                parts[f"{key}/day/{day}"] = None
            lane.dirty_days.clear()
            lane.dropped_days.clear()
            self._save_looking(seat.work.looking, key, parts, everything)
        if self._area.refitted or everything:
            views = {name: keep(seat.work.view) for name, seat in self._area.seats.items()}
            parts[f"{self._prefix}/views"] = state_bytes.dump(views)
            self._area.refitted = False
        parts[self._prefix] = state_bytes.dump(_snapshot(self._area))
        self._area.touched = False

    def _save_looking(
        self, looking: Looking, key: str, parts: dict[str, bytes | None], everything: bool
    ) -> None:
        """Minutes of days, and what quality learnt of past ones."""
        presence, watch = looking.presence, looking.watch
        for day in sorted(presence.days if everything else presence.changed_days):
            parts[f"{key}/minutes/{day}"] = state_bytes.dump(Minutes(presence.days[day]))
        for day in sorted(presence.dropped_days):
            parts[f"{key}/minutes/{day}"] = None
        presence.changed_days.clear()
        presence.dropped_days.clear()
        if watch.past_changed or everything:
            parts[f"{key}/past"] = state_bytes.dump(watch.past)
            watch.past_changed = False

    def _save_history(
        self,
        lane: Lane,
        key: str,
        segments: dict[str, tuple[int, bytes]],
        dropped: list[tuple[str, int]],
    ) -> None:
        border = lane.state.watermark.value_ms - lane.horizon_ms - KEEP_MS
        border -= lane.history.bucket_ms
        for number, newest_ms in list(lane.state.segments):
            if newest_ms < border:
                dropped.append((key, number))
                lane.state.segments.remove((number, newest_ms))
        if lane.history.unsaved:
            chunk = join(lane.history.unsaved)
            lane.history.unsaved = []
            segments[key] = (lane.state.next_segment, pack(chunk))
            newest = int(chunk.time_ms.max())
            lane.state.segments.append((lane.state.next_segment, newest))
            lane.state.next_segment += 1

    def load(
        self,
        parts: Mapping[str, bytes],
        segments: Mapping[str, Sequence[tuple[int, bytes]]],
        versions: Versions,
    ) -> None:
        """Rebuilds the area as it was, under the versions that were in force."""
        area = self._area
        held = state_bytes.restore(parts[self._prefix], AreaState)
        area.proc_ms, area.position = held.proc_ms, held.position
        area.origin, area.frames = Origin(held.origin), held.frames
        area.devices.gateway_of, area.devices.report_of = held.gateway_of, held.report_of
        area.report.sequence = held.sequence
        area.report.told_active, area.report.told_hour = held.told_active, held.told_hour
        area.report.told_risk = held.told_risk
        area.silence.state, area.book.state = held.silence, held.book
        area.desk.open = held.tickets
        area.warnings.load(held.warnings)
        views = state_bytes.restore(parts[f"{self._prefix}/views"], dict[str, ViewState])
        area.known_views = {name: recall(view, area.code) for name, view in views.items()}
        area.fit(versions)
        for name, lane_held in held.lanes.items():
            work = area.seats[name].work
            work.restore(lane_held)
            key = f"{self._prefix}/{name}"
            newest = dict(work.lane.state.segments)
            for number, content in sorted(segments.get(key, ())):
                work.lane.history.restore(content, newest[number])
            for part in parts:
                if part.startswith(f"{key}/day/"):
                    work.lane.days[int(part.rsplit("/", 1)[1])] = state_bytes.restore(
                        parts[part], Day
                    )
            self._load_looking(work.looking, key, parts)
            work.lane.forget()
            work.lane.dropped_days.clear()
        area.settle()
        area.touched = area.stale_view = False

    def _load_looking(self, looking: Looking, key: str, parts: Mapping[str, bytes]) -> None:
        if f"{key}/past" in parts:
            looking.watch.past = state_bytes.restore(parts[f"{key}/past"], PastState)
        looking.watch.past_changed = False
        for part in parts:
            if part.startswith(f"{key}/minutes/"):
                day = int(part.rsplit("/", 1)[1])
                looking.presence.days[day] = state_bytes.restore(parts[part], Minutes).hours


@dataclass(slots=True)
class Minutes:
    """Bit masks of a day's hours, (S, 24)."""

    hours: Int64


def _snapshot(area: Area) -> AreaState:
    """The state now; its arrays are shared, so it must be encoded before anything goes on."""
    return AreaState(
        proc_ms=area.proc_ms,
        sequence=area.report.sequence,
        position=area.position,
        origin=area.origin.value,
        gateway_of=area.devices.gateway_of,
        report_of=area.devices.report_of,
        told_active=area.report.told_active,
        told_hour=area.report.told_hour,
        told_risk=area.report.told_risk,
        silence=area.silence.state,
        book=area.book.state,
        lanes={name: seat.work.snapshot() for name, seat in area.seats.items()},
        frames=area.frames,
        tickets=area.desk.open,
        warnings=area.warnings.state,
    )
