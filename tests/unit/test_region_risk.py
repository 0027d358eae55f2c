"""Colours of cities and the province, from what the counties tell."""

from __future__ import annotations

from typing import Any

from streams.contracts.outcome import AreaRisk, RegionMessage
from streams.contracts.reason import Severity
from streams.region.stage import RegionResult
from tests.support.region_bench import Bench
from tests.support.toy_level import COUNTIES, partial, watermark

A, B, C = COUNTIES  # A and B in one city, C in another
H = 3_600_000
T0 = 1_700_006_400_000


def told(
    area: str, proc_ms: int, severity: int, *, led_by: str | None = "toy", unknown: bool = False
) -> RegionMessage:
    payload: dict[str, Any] = {
        "severity": severity,
        "led_by": led_by if severity else None,
        "unknown": unknown,
        "stale": 0,
        "open": int(severity > 0),
        "as_of_ms": proc_ms,
    }
    return RegionMessage(area, 1, proc_ms, "risk", "", "", 0, payload, "closed", 1)


def colours(result: RegionResult) -> dict[str, Severity]:
    return {area: risk.severity for area, risk in result.risks.items()}


def test_a_countys_colour_reaches_its_city_and_the_province() -> None:
    result = Bench().apply(told(A, T0, 3))
    assert colours(result) == {"330100": Severity.ORANGE, "330000": Severity.ORANGE}
    city: AreaRisk = result.risks["330100"]
    assert (city.led_by, city.decided_ms, city.as_of_ms) == ("toy", T0, T0)
    assert city.detail["led_by_area"] == A
    assert result.risks["330000"].detail["led_by_area"] == "330100"
    assert result.risks["330000"].detail["colours"]["3"] == 1, "cities, not counties"


def test_the_worst_county_leads_until_it_is_better() -> None:
    bench = Bench()
    bench.apply(told(A, T0, 4), told(B, T0, 2))
    assert colours(bench.apply(told(A, T0 + 1, 0)))["330100"] is Severity.YELLOW
    assert colours(bench.apply(told(B, T0 + 2, 0)))["330100"] is Severity.NONE


def test_one_city_does_not_touch_the_other() -> None:
    bench = Bench()
    bench.apply(told(A, T0, 4))
    result = bench.apply(told(C, T0 + 1, 2))
    assert colours(result) == {"330200": Severity.YELLOW, "330000": Severity.RED}


def test_an_alert_on_the_city_itself_counts_and_its_end_too() -> None:
    bench = Bench()
    high = bench.apply(
        watermark(C, T0, T0), partial(C, T0 + H, T0, [950]), watermark(C, T0 + H, T0 + H)
    )
    assert high.transitions
    assert colours(high) == {"330200": Severity.RED, "330000": Severity.RED}
    assert high.risks["330200"].detail["led_by_area"] == "330200"
    calm = bench.apply(partial(C, T0 + 2 * H, T0 + H, [1]), watermark(C, T0 + 2 * H, T0 + 2 * H))
    assert colours(calm)["330200"] is Severity.NONE


def test_an_unknown_area_is_counted() -> None:
    result = Bench().apply(told(A, T0, 2, unknown=True), told(B, T0, 0))
    assert result.risks["330100"].unknown
    assert result.risks["330100"].detail["unknown_areas"] == 1
