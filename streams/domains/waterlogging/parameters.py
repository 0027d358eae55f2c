"""House numbers of the waterlogging domain: defaults and sources (domain.md §2, §8.3)."""

from __future__ import annotations

from streams.contracts.domain import Parameter

RISE_CM = "waterlogging.rise.cm"
RISE_WINDOW_S = "waterlogging.rise.window_s"
RISE_LEAST_CM = "waterlogging.rise.least_depth_cm"
JUMP_CM = "waterlogging.sanity.jump_cm"
JUMP_DRY_MIN = "waterlogging.sanity.dry_minutes"
WET_CM = "waterlogging.episode.wet_cm"
DRY_MIN = "waterlogging.episode.dry_minutes"
PONDED_CM = "waterlogging.ponded.depth_cm"
PONDED_MIN = "waterlogging.ponded.after_rain_min"
RELAPSE_CM = "waterlogging.relapse.depth_cm"
RELAPSE_MIN = "waterlogging.relapse.minutes"
FLOODED_CM = "waterlogging.tier.blue_cm"
WATCH_CM = "waterlogging.tier.watch_cm"
CLEAR_MIN = "waterlogging.clear.minutes"

PARAMETERS = (
    Parameter(WATCH_CM, "5", "cm", "H", "domain.md §2.2: shown, no alert"),
    Parameter(FLOODED_CM, "15", "cm", "H", "domain.md §2.2; ponding limit of GB 50014-2021 T4.1.4"),
    Parameter("waterlogging.tier.yellow_cm", "27", "cm", "H", "domain.md §2.2; Beijing red line"),
    Parameter("waterlogging.tier.orange_cm", "30", "cm", "H", "domain.md §2.2"),
    Parameter("waterlogging.tier.red_cm", "50", "cm", "H", "domain.md §2.2"),
    Parameter("waterlogging.raise.consecutive", "2", "readings", "H", "domain.md §2.2"),
    Parameter("waterlogging.raise.jump_over_cm", "5", "cm", "H", "domain.md §2.2"),
    Parameter(CLEAR_MIN, "10", "min", "H", "domain.md §2.2"),
    Parameter("waterlogging.clear.hysteresis_cm", "2", "cm", "H", "domain.md §2.2"),
    Parameter(RISE_CM, "5", "cm", "H", "domain.md §8.3, rise alarm"),
    Parameter(RISE_WINDOW_S, "60", "s", "H", "domain.md §8.3, rise alarm"),
    Parameter(RISE_LEAST_CM, "10", "cm", "H", "domain.md §8.3, rise alarm"),
    Parameter(JUMP_CM, "50", "cm", "H", "domain.md §2.2, sensor sanity"),
    Parameter(JUMP_DRY_MIN, "30", "min", "H", "how long without rain counts as dry weather"),
    Parameter(WET_CM, "1", "cm", "H", "domain.md §8.3, wet episode"),
    Parameter(DRY_MIN, "10", "min", "H", "domain.md §8.3, wet episode"),
    Parameter(PONDED_CM, "15", "cm", "H", "domain.md §2.1: more than"),
    Parameter(PONDED_MIN, "30", "min", "H", "domain.md §2.1: longer than, after the rain"),
    Parameter(RELAPSE_CM, "15", "cm", "H", "domain.md §2.4: more than"),
    Parameter(RELAPSE_MIN, "30", "min", "H", "domain.md §2.4: longer than"),
)
