"""Queries as Grafana's PostgreSQL data source sends them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashboards.grafana.macros import TimeRange, interpolate, seconds

SEEN = TimeRange(datetime(2026, 8, 11, 5, tzinfo=UTC), datetime(2026, 8, 11, 11, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        (
            "$__timeFilter(t)",
            "t BETWEEN '2026-08-11T05:00:00Z' AND '2026-08-11T11:00:00Z'",
        ),
        ("$__timeFrom()", "'2026-08-11T05:00:00Z'"),
        ("$__timeTo()::timestamptz", "'2026-08-11T11:00:00Z'::timestamptz"),
        ("$__time(t)", 't AS "time"'),
        ("$__timeEpoch(t)", 'extract(epoch from t) as "time"'),
        ("$__timeGroup(t, '5m')", "floor(extract(epoch from t)/300)*300"),
        ("$__timeGroup(t, $__interval)", "floor(extract(epoch from t)/60)*60"),
        ("$__timeGroupAlias(t,1h)", 'floor(extract(epoch from t)/3600)*3600 AS "time"'),
        ("'$__interval'::interval, $__interval_ms", "'1m'::interval, 60000"),
        ("a in ($county)", "a in ('330106','330102')"),
        ("a in (${county:csv}) or [[county]]", "a in ('330106','330102') or '330106','330102'"),
        ("a = '$one'", "a = 'it''s'"),
        ("a in ($none)", "a in ('')"),
    ],
)
def test_macros_and_choices(text: str, sent: str) -> None:
    choices = {"county": ["330106", "330102"], "one": "it's", "none": []}
    assert interpolate(text, SEEN, 60, choices) == sent


@pytest.mark.parametrize("text", ["$__timeFilte(t)", "$nothing", "$__timeGroup(t)"])
def test_what_grafana_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unknown macro|no choice"):
        interpolate(text, SEEN, 60, {})


@pytest.mark.parametrize(
    ("hours", "least", "wanted"),
    [(6, 1, 20), (1, 60, 60), (24 * 30, 1, 1800), (24 * 365, 1, 21600), (0.01, 1, 1)],
)
def test_the_interval_follows_the_range(hours: float, least: int, wanted: int) -> None:
    seen = TimeRange(SEEN.since, SEEN.since + timedelta(hours=hours))
    assert seen.interval_s(least_s=least) == wanted


def test_intervals_are_read() -> None:
    assert [seconds(text) for text in ("500ms", "30s", "5m", "1d")] == [0.5, 30, 300, 86_400]
    with pytest.raises(ValueError, match="no interval"):
        seconds("fortnight")
