"""Namespaces of tests: made, filled and copied in a line."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from streams.catalog import Area, Gateway, Registry, Sensor
from streams.contracts.domain import Domain, Point
from streams.contracts.reason import NamespaceKind
from streams.storage.connect import connect
from streams.storage.migrate import migrate

COPIED = ("sensor", "property", "config_version", "log_record")


def make_namespace(
    conninfo: str,
    namespace: str,
    kind: NamespaceKind = NamespaceKind.REPLAY,
    domains: Mapping[str, Domain] | None = None,
    partitions: int = 4,
) -> str:
    """Migrates the namespace; gives its name."""
    migrate(conninfo, namespace, kind, domains=domains, partitions=partitions)
    return namespace


def copy_log(conninfo: str, source: str, target: str) -> None:
    """Gives the target the same log, catalogue and versions as the source.

    The target has just been migrated with as many partitions, and nothing else was done to it.
    """
    with connect(conninfo, target, "citybrain test") as connection:
        for table in COPIED:
            names = {"table": sql.Identifier(table), "source": sql.Identifier(source)}
            connection.execute(sql.SQL("delete from {table}").format(**names))
            connection.execute(
                sql.SQL(
                    "insert into {table} overriding system value select * from {source}.{table}"
                ).format(**names)
            )
        connection.execute(
            sql.SQL(
                "update log_partition p set next_offset = s.next_offset,"
                " first_offset = s.first_offset from {}.log_partition s"
                " where s.topic = p.topic and s.partition = p.partition and s.topic <> 'region'"
            ).format(sql.Identifier(source))
        )


def small_registry(sensors: int = 4, areas: int = 2, partitions: int = 2) -> Registry:
    """Counties of one city with one point per sensor and one gateway."""
    codes = [f"3301{2 + i:02d}" for i in range(areas)]
    parents = [
        Area("330000", "province", None, "浙江省", "Zhejiang"),
        Area("330100", "city", "330000", "杭州市", "Hangzhou"),
    ]
    counties = [Area(code, "county", "330100", f"区{code}", f"County {code}") for code in codes]
    points = {
        f"p{i}": Point(f"p{i}", "flood_point", codes[i % areas], f"点{i}", 120.1, 30.2, {})
        for i in range(sensors)
    }
    return Registry(
        areas={area.code: area for area in [*parents, *counties]},
        points=points,
        sensors={f"s{i}": Sensor(0, f"s{i}", f"p{i}", "gw", ("depth",)) for i in range(sensors)},
        gateways={"gw": Gateway("gw", codes[0])},
        partitions={code: i % partitions for i, code in enumerate(codes)},
        partition_count=partitions,
    )
