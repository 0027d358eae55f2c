"""How an area tells what it found: region messages, dead letters, quarantine, latest values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import orjson

from streams.area.lane_work import LaneWork
from streams.contracts.codec import write_frame_headers
from streams.contracts.domain import AreaView
from streams.contracts.frame import Frame, Int64
from streams.contracts.outcome import (
    AreaLatest,
    AreaRisk,
    DeadLetter,
    LateMark,
    Outcome,
    Quarantined,
    RegionMessage,
)
from streams.contracts.reason import Origin, Reason
from streams.resilience.composite import member
from streams.windows.lane import HOUR_MS
from streams.windows.watermark import NEVER


class Report:
    """Numbers the messages of one area."""

    def __init__(self, area: str) -> None:
        self._area = area
        self.sequence = 0
        self.told_active: dict[str, bool] = {}
        self.told_hour: dict[str, int] = {}
        self.told_risk = ""
        self._known_who: dict[str, tuple[AreaView, Int64, list[int], list[str]]] = {}

    # to the region ------------------------------------------------------------------------------

    def partial(
        self,
        outcome: Outcome,
        at_ms: int,
        domain: str,
        period: str,
        start_ms: int,
        payload: Mapping[str, Any],
        cause: str,
        position: int,
    ) -> None:
        self._tell(outcome, at_ms, "partial", domain, period, start_ms, payload, cause, position)

    def state(
        self,
        outcome: Outcome,
        at_ms: int,
        domain: str,
        work: LaneWork,
        cause: str,
        position: int,
    ) -> None:
        """The inventory of a domain that keeps one."""
        if work.domain.inventory is None:
            return
        payload = work.domain.inventory(work.view, work.state)
        if payload is not None:
            self.partial(outcome, at_ms, domain, "state", 0, payload, cause, position)

    def watermark(
        self, outcome: Outcome, at_ms: int, domain: str, mark_ms: int, active: bool, position: int
    ) -> None:
        """Told when it passes an hour, or when the domain's sources stop or come back."""
        hour = mark_ms // HOUR_MS if mark_ms > NEVER else -1
        known = self.told_active.get(domain), self.told_hour.get(domain)
        if known == (active, hour):
            return
        self.told_active[domain], self.told_hour[domain] = active, hour
        payload = {"watermark": max(mark_ms, 0), "active": active}
        self._tell(outcome, at_ms, "watermark", domain, "", 0, payload, "closed", position)

    def risk(self, outcome: Outcome, at_ms: int, risk: AreaRisk, position: int) -> None:
        """Told when the colour, what leads it or what is known of it has changed."""
        payload = member(risk)
        said = orjson.dumps({k: v for k, v in payload.items() if k != "as_of_ms"}).decode()
        if said != self.told_risk:
            self.told_risk = said
            self._tell(outcome, at_ms, "risk", "", "", 0, payload, "closed", position)

    def source(
        self,
        outcome: Outcome,
        at_ms: int,
        gateway: str,
        silent: int,
        total: int,
        speaking: bool,
        origin: Origin,
        position: int,
    ) -> None:
        payload = {
            "source": gateway,
            "silent": silent,
            "total": total,
            "since_ms": at_ms,
            "speaking": speaking,
            "origin": origin.value,
        }
        self._tell(outcome, at_ms, "source", "", "", 0, payload, "closed", position)

    def close(
        self, outcome: Outcome, at_ms: int, payload: Mapping[str, Any], position: int
    ) -> None:
        """An alert of the region stage is closed by hand."""
        self._tell(outcome, at_ms, "close", "", "", 0, payload, "closed", position)

    def _tell(
        self,
        outcome: Outcome,
        at_ms: int,
        kind: str,
        domain: str,
        period: str,
        start_ms: int,
        payload: Mapping[str, Any],
        cause: str,
        position: int,
    ) -> None:
        self.sequence += 1
        outcome.region.append(
            RegionMessage(
                self._area,
                self.sequence,
                at_ms,
                kind,
                domain,
                period,
                start_ms,
                payload,
                cause,
                position,
            )
        )

    def mark_late(self, outcome: Outcome, domain: str, day_ms: int, position: int) -> None:
        """Late rows touched this day: the store knows more of it than the lane."""
        mark = LateMark(self._area, domain, day_ms, position)
        if mark not in outcome.marks[-8:]:
            outcome.marks.append(mark)

    # refused and set apart -----------------------------------------------------------------

    def refuse(
        self,
        outcome: Outcome,
        frame: Frame,
        refused: Iterable[tuple[int, Reason]],
        position: int,
    ) -> None:
        """Rows of a frame go to the dead letters, each with what it takes to try it again."""
        headers: dict[str, str] | None = None
        for row, reason in refused:
            headers = headers or write_frame_headers(frame)
            self._refuse(outcome, frame, row, reason, position, headers)

    def _refuse(
        self,
        outcome: Outcome,
        frame: Frame,
        row: int,
        reason: Reason,
        position: int,
        headers: Mapping[str, str],
    ) -> None:
        sensor = frame.sensors[int(frame.sensor[row])]
        prop = frame.properties[int(frame.property[row])]
        value = float(frame.value[row])
        content: dict[str, object] = {
            "sensor": sensor,
            "property": prop,
            "time": int(frame.time_ms[row]),
            "value": value if np.isfinite(value) else str(value),
        }
        if frame.units is not None:
            content["unit"] = frame.units[int(frame.property[row])]
        if frame.flag is not None:
            content["flag"] = int(frame.flag[row])
        outcome.count(self._area, frame.domain, frame.source, rejected=1)
        outcome.dead_letters.append(
            DeadLetter(
                reason,
                f"{sensor} {prop}",
                position,
                row,
                frame.source,
                frame.area,
                frame.domain,
                orjson.dumps(content),
                headers,
            )
        )

    def refuse_all(self, outcome: Outcome, frame: Frame, reason: Reason, position: int) -> None:
        """Every row of a frame, one by one."""
        self.refuse(outcome, frame, ((row, reason) for row in range(len(frame))), position)

    def quarantine(
        self,
        outcome: Outcome,
        frame: Frame,
        reason: Reason,
        sensor: str,
        prop: str,
        time_ms: int,
        value: str,
        position: int,
    ) -> None:
        """One row is set apart; it moves nothing."""
        outcome.count(self._area, frame.domain, frame.source, quarantined=1)
        outcome.quarantined.append(
            Quarantined(
                reason,
                self._area,
                frame.domain,
                frame.source,
                sensor,
                prop,
                time_ms,
                frame.ingest_ms,
                value,
                position,
            )
        )

    def _who(self, work: LaneWork, have: Int64) -> tuple[list[int], list[str]]:
        """Sensors and properties of these series; nearly always those that were asked for last."""
        view, held = work.view, self._known_who.get(work.domain.name)
        if held is None or held[0] is not view or not np.array_equal(held[1], have):
            names = [p.name for p in work.domain.properties]
            properties = [names[i] for i in view.series_property[have].tolist()]
            held = (view, have, view.series_sensor[have].tolist(), properties)
            self._known_who[work.domain.name] = held
        return held[2], held[3]

    # for maps ---------------------------------------------------------------------------------

    def latest(self, work: LaneWork, silent: list[int], decided_ms: int) -> AreaLatest | None:
        """The newest reading of every series of a domain, columnar; None when there is none."""
        state, view = work.lane.state, work.view
        have = np.flatnonzero((state.newest_ms > NEVER) & (view.series_property < work.own))
        if not len(have):
            return None
        sensors, names = self._who(work, have)
        payload = {
            "series": {
                "sensor": sensors,
                "property": names,
                "time": state.newest_ms[have].tolist(),
                "value": state.newest_value[have].tolist(),
                "flag": state.newest_flag[have].tolist(),
            },
            "silent": silent,
            "watermark": max(state.watermark.value_ms, 0),
        }
        newest = int(state.newest_ms[have].max())
        return AreaLatest(self._area, work.domain.name, newest, decided_ms, payload)
