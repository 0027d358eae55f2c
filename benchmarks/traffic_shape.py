"""Draws the daily shape of a traffic index from what is stored, weekdays beside weekends.

    citybrain verify aarhus FILES… --keep          # says which schema it kept
    python -m benchmarks.traffic_shape SCHEMA -o docs/images/traffic-aarhus.png

Reads the hourly facts `traffic.dtp.hour` of one area. Days are pooled as the index itself is: by
Σ delay ÷ Σ travel time, both weights. It computes no state of its own and asserts nothing.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import matplotlib as mpl

from streams.domains.traffic.grade import BOUNDS
from streams.domains.traffic.parameters import LENGTH, VEHICLE_KM
from streams.settings import Settings
from streams.storage.stored import StoredFact, StoredRun

mpl.use("Agg")
import matplotlib.pyplot as plt

Series = Mapping[int, float]
SATURDAY = 5
PARTIAL_KEYS = {VEHICLE_KM: f"by_{VEHICLE_KM}", LENGTH: f"by_{LENGTH}"}


@dataclass(frozen=True, slots=True)
class Hour:
    weekend: bool
    hour: int
    day: str
    dtp: Mapping[str, Fraction]


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("namespace")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--area", default="983100")
    parser.add_argument("--utc-offset-hours", type=int, default=2)
    given = parser.parse_args()
    run = StoredRun(Settings().conninfo(), given.namespace)
    facts = [f for f in run.facts("traffic.dtp.hour", "hour") if f.area == given.area]
    hours = [_hour(fact, given.utc_offset_hours) for fact in facts]
    draw(hours, given.out)
    for weekend in (False, True):
        for weight in (VEHICLE_KM, LENGTH):
            shape = mean_shape(hours, weekend, weight)
            peak, low = max(shape, key=shape.__getitem__), min(shape, key=shape.__getitem__)
            name = "weekend" if weekend else "weekdays"
            most, least = f"{shape[peak]:.3f} at {peak} h", f"{shape[low]:.3f} at {low} h"
            print(f"{name} by {weight}: most {most}, least {least}")


def mean_shape(hours: list[Hour], weekend: bool, weight: str) -> Series:
    """Mean DTP of the days' hours, for the eye."""
    found: dict[int, list[Fraction]] = defaultdict(list)
    for one in hours:
        if one.weekend is weekend and weight in one.dtp:
            found[one.hour].append(one.dtp[weight])
    return {hour: float(sum(own) / len(own)) for hour, own in sorted(found.items())}


def draw(hours: list[Hour], out: Path) -> None:
    """One panel for each weight: the days thin, their means thick, the grades' bounds dotted."""
    figure, panels = plt.subplots(1, 2, figsize=(11, 4.2), sharey=True)
    for panel, weight in zip(panels, (VEHICLE_KM, LENGTH), strict=True):
        for weekend, colour, name in ((False, "#1f5fa8", "weekdays"), (True, "#d9822b", "weekend")):
            for day in sorted({h.day for h in hours if h.weekend is weekend}):
                own = sorted(
                    (h.hour, float(h.dtp[weight]))
                    for h in hours
                    if h.day == day and weight in h.dtp
                )
                panel.plot(*zip(*own, strict=True), color=colour, alpha=0.25, linewidth=0.8)
            shape = mean_shape(hours, weekend, weight)
            panel.plot(list(shape), list(shape.values()), color=colour, linewidth=2.4, label=name)
        for bound in BOUNDS:
            panel.axhline(float(bound), color="#888888", linestyle=":", linewidth=0.8)
        panel.set(
            title=f"DTP by {weight}",
            xlabel="hour of the source's stamp",
            xlim=(0, 23),
            ylim=(0, 0.75),
        )
        panel.set_xticks(range(0, 24, 3))
    panels[0].set_ylabel("delay / travel time")
    panels[0].legend(frameon=False)
    figure.suptitle("Aarhus, 40 links, 2014-08-04 to 08-10, GB/T 33171 area index by hour")
    figure.tight_layout()
    figure.savefig(out, dpi=100)


def _hour(fact: StoredFact, offset_hours: int) -> Hour:
    local = datetime.fromtimestamp(fact.start_ms / 1000, UTC) + timedelta(hours=offset_hours)
    dtp = {
        weight: Fraction(told["dtp"])
        for weight, key in PARTIAL_KEYS.items()
        if (told := fact.detail.get(key)) is not None
    }
    return Hour(local.weekday() >= SATURDAY, local.hour, f"{local:%Y-%m-%d}", dtp)


if __name__ == "__main__":
    main()
