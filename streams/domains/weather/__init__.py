"""Weather (气象): warning signals from what is measured, grades of rain and snow, extremes.

The table of signals is that of 中国气象局令第16号 (2007), domain.md §5.1, as data of the profile.
A colour here says that a threshold has been reached, by measurement: a warning (预警信号) itself is
issued by the meteorological service. Open: the forecast half of the definitions (将达), 大风's own
table, provincial tables. Operator's page: docs/domains/weather.md.
"""

from __future__ import annotations

from streams.contracts.domain import Domain, TierRule, Timing, Title
from streams.contracts.reason import Severity
from streams.domains.weather import figures, layout
from streams.domains.weather import parameters as key
from streams.domains.weather.profile import mistakes
from streams.domains.weather.signals import WeatherState, close, initial, rule_name

_TITLES = {
    "rainstorm": Title("暴雨达预警标准", "rain reaches a warning level"),
    "snowstorm": Title("暴雪达预警标准", "snowfall reaches a warning level"),
    "typhoon": Title("台风大风达预警标准", "wind reaches a typhoon warning level"),
    "cold_wave": Title("寒潮达预警标准", "cold wave reaches a warning level"),
    "heat": Title("高温达预警标准", "heat reaches a warning level"),
}
_COLOURS = dict(
    zip(key.COLOURS, (Severity.BLUE, Severity.YELLOW, Severity.ORANGE, Severity.RED), strict=True)
)


def _rule(signal: str) -> TierRule:
    return TierRule(
        name=rule_name(signal),
        title=_TITLES[signal],
        levels=tuple((key.LEVEL + name, severity) for name, severity in _COLOURS.items()),
        unit_scale=0,
        unit="级（1蓝 2黄 3橙 4红）",
        clear_count=key.CLEAR,
        covers_area=True,
    )


DOMAIN = Domain(
    name="weather",
    title=Title("气象", "weather"),
    properties=layout.PROPERTIES,
    points=layout.POINTS,
    timing=Timing(delay_s=60, horizon_s=1800, bucket_s=60),
    parameters=key.PARAMETERS,
    rules=tuple(_rule(signal) for signal in key.CELLS),
    facts=figures.FACTS,
    state_type=WeatherState,
    initial=initial,
    close=close,
    hourly=figures.hourly,
    daily=figures.daily,
    mistakes=mistakes,
    simulated="weather",
    warned=("台风", "暴雨", "暴雪", "寒潮", "大风", "高温"),
)
