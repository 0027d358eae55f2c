"""Fixtures that every test may use."""

from __future__ import annotations

pytest_plugins = [
    "tests.support.postgres",
    "tests.support.kafka",
    "tests.support.native",
    "tests.support.timescale",
]
