"""The water balance of places that flood, in whole micrometres over each place's catchment.

    runoff store u, pond s, per step:   u += c·rain        q = u·dt/k     u −= q
                                        s += q + sea       out = min(s, drain)
                                        s −= out           spill = max(0, s − brim)
The pond is a trough with a triangular section, so its volume grows with the square of its depth
(hypsometric curve): depth = 0.3 m · √(s / s₃₀). Everything before that root is integer
arithmetic: nothing is lost or gained, on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streams.contracts.frame import Float64, Int64

PERMILLE = 1000
REFERENCE_M = 0.3
STAGE_FULL_UM = 260_000  # rain in the receiving water at which outfalls drown
STAGE_TIME_S = 5 * 3600
MOST_DROWNED_PERMILLE = 720
SEA_SHARE = 8  # an eighth of what is missing comes in at each step


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """What does not change; arrays of shape (n,)."""

    runoff_permille: Int64
    delay_s: Int64  # time of concentration k
    drain_um_h: Int64  # capacity of the drains
    fill_um: Int64  # s₃₀: what fills the pond to 30 cm
    brim_um: Int64  # where it runs away over the ground
    tidal: Int64  # 1 = open to the sea
    street_mm: Int64  # level of the street over mean sea level (tidal places)


@dataclass(slots=True, eq=False)
class Water:
    """What changes, and the sums that prove the balance; arrays of shape (n,), micrometres."""

    runoff: Int64
    pond: Int64
    stage: Int64  # rain still in the receiving water
    rained: Int64  # on impervious ground
    from_sea: Int64
    drained: Int64
    spilled: Int64

    @staticmethod
    def none(n: int) -> Water:
        return Water(*(np.zeros(n, np.int64) for _ in range(7)))


def advance(places: Places, water: Water, rain_um: Int64, sea_mm: int, step_s: int) -> Water:
    """One step of `step_s` seconds with `rain_um` of rain on each place; changes `water`."""
    effective = rain_um * places.runoff_permille // PERMILLE
    water.rained += effective
    water.runoff += effective
    flow = water.runoff * step_s // np.maximum(places.delay_s, step_s)
    water.runoff -= flow
    water.pond += flow
    water.stage += rain_um - water.stage * step_s // STAGE_TIME_S
    _let_in_sea(places, water, sea_mm)
    out = np.minimum(water.pond, _drain(places, water, sea_mm, step_s))
    water.pond -= out
    water.drained += out
    spill = np.maximum(water.pond - places.brim_um, 0)
    water.pond -= spill
    water.spilled += spill
    return water


def depth_m(places: Places, pond: Int64) -> Float64:
    """Depth of the pond at its deepest, m, shape (n,)."""
    return REFERENCE_M * np.sqrt(pond / places.fill_um)


def _drain(places: Places, water: Water, sea_mm: int, step_s: int) -> Int64:
    """What the drains take in a step: less under a high river, nothing at flood tide."""
    drowned = np.minimum(water.stage * PERMILLE // STAGE_FULL_UM, MOST_DROWNED_PERMILLE)
    shut = (places.tidal == 1) & (sea_mm > places.street_mm - 400)
    capacity = places.drain_um_h * step_s // 3600 * (PERMILLE - drowned) // PERMILLE
    return np.where(shut, 0, capacity)


def _let_in_sea(places: Places, water: Water, sea_mm: int) -> None:
    over = np.where(places.tidal == 1, np.maximum(sea_mm - places.street_mm, 0), 0)
    wanted = places.fill_um * (over * over) // (300 * 300)
    inflow = np.maximum(wanted - water.pond, 0) // SEA_SHARE
    water.pond += inflow
    water.from_sea += inflow
