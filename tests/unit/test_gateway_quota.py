"""Quotas: a rate, a burst after a pause, and no request that can never pass."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sensors.gateway.keys import Quota
from sensors.gateway.quota import Quotas
from sensors.gateway.settings import GatewaySettings

SETTINGS = GatewaySettings(
    quota_readings_s=10, quota_readings_burst=100, quota_bytes_s=1000, quota_bytes_burst=5000
)


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    quotas = Quotas(SETTINGS)
    assert quotas.take("gw", 100, 1, 0) is None
    lacking = quotas.take("gw", 20, 1, 0)
    assert lacking is not None
    assert (lacking.what, lacking.wait_s) == ("readings", 2.0)
    assert quotas.take("gw", 20, 1, 1.9) is not None
    assert quotas.take("gw", 20, 1, 2.0) is None


def test_bytes_have_a_bucket_of_their_own_and_the_longer_wait_is_told() -> None:
    quotas = Quotas(SETTINGS)
    assert quotas.take("gw", 1, 5000, 0) is None
    lacking = quotas.take("gw", 100, 4000, 0)
    assert lacking is not None
    assert (lacking.what, lacking.wait_s) == ("bytes", 4.0)


def test_what_is_turned_away_costs_nothing() -> None:
    quotas = Quotas(SETTINGS)
    assert quotas.take("gw", 90, 1, 0) is None
    for _ in range(5):
        assert quotas.take("gw", 50, 1, 0) is not None
    assert quotas.take("gw", 10, 1, 0) is None


def test_gateways_do_not_share_and_a_pause_fills_no_further_than_the_burst() -> None:
    quotas = Quotas(SETTINGS)
    assert quotas.take("one", 100, 1, 0) is None
    assert quotas.take("two", 100, 1, 0) is None
    assert quotas.take("one", 100, 1, 1000) is None
    assert quotas.take("one", 1, 1, 1000) is not None


def test_more_than_the_burst_passes_once_and_is_paid_for_afterwards() -> None:
    quotas = Quotas(SETTINGS)
    assert quotas.take("gw", 150, 1, 0) is None
    lacking = quotas.take("gw", 1, 1, 0)
    assert lacking is not None
    assert lacking.wait_s == 5.1


def test_a_quota_of_its_own_may_be_smaller_or_larger() -> None:
    quotas = Quotas(SETTINGS)
    own = Quota(readings_s=1, readings_burst=1)
    assert quotas.take("slow", 1, 1, 0, own) is None
    assert quotas.take("slow", 1, 1, 0.5, own) is not None
    fast = Quota(readings_s=1000)
    assert quotas.take("fast", 1000, 1, 0, fast) is None


def test_a_clock_that_goes_back_gives_nothing() -> None:
    quotas = Quotas(SETTINGS)
    assert quotas.take("gw", 100, 1, 10) is None
    assert quotas.take("gw", 1, 1, 5) is not None
    assert quotas.take("gw", 1, 1, 10) is not None


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 3)), max_size=40))
def test_no_gateway_passes_more_than_burst_and_rate_allow(
    steps: list[tuple[int, float]],
) -> None:
    quotas, now_s, taken = Quotas(SETTINGS), 0.0, 0
    for readings, pause_s in steps:
        now_s += pause_s
        if quotas.take("gw", readings, 1, now_s) is None:
            taken += readings
        assert taken <= 100 + 10 * now_s + 1e-6
