"""Fixtures that every test may use."""

from __future__ import annotations

pytest_plugins = [
    "tests.support.postgres",
    "tests.support.native",
    "tests.support.kafka",
    "tests.support.kafka_secured",
    "tests.support.postgres_secured",
    "tests.support.timescale",
    "tests.support.community",
    "tests.support.typhoon",
]
