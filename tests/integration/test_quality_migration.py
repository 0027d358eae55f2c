"""Migration 0005 over tickets that an earlier version left open several times."""

from __future__ import annotations

from importlib import resources

import psycopg
import pytest

pytestmark = pytest.mark.integration

BEFORE = """
create temporary table ticket (
    area text not null, sensor int not null, property text not null, kind text not null,
    opened timestamptz not null, closed timestamptz, evidence jsonb not null,
    constraint ticket_pkey primary key (sensor, property, kind, opened)
)
"""
INSERT = "insert into ticket values ('a', %s, 'depth', %s, %s, %s, '{}')"
DAY = "2026-08-0{}T00:00+08:00"


def test_one_ticket_of_a_kind_stays_open(database_url: str) -> None:
    script = (resources.files("streams.storage.migrations") / "0005_quality.sql").read_text("utf-8")
    with psycopg.connect(database_url) as connection:
        connection.execute(BEFORE)
        connection.execute("set search_path = pg_temp, public")
        for sensor, kind, day, closed in (
            (1, "range", 1, None),
            (1, "range", 2, None),
            (1, "range", 3, DAY.format(4)),
            (1, "jump", 1, None),
            (2, "silent", 5, None),
        ):
            connection.execute(INSERT, (sensor, kind, DAY.format(day), closed))
        connection.execute(script.encode())
        found = connection.execute(
            "select sensor, kind, extract(day from opened at time zone 'Asia/Shanghai')::int"
            " from ticket where closed is null and subject = '' order by 1, 2"
        ).fetchall()
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(INSERT, (2, "silent", DAY.format(6), None))
        connection.rollback()
    assert found == [(1, "range", 1), (2, "silent", 5)]
