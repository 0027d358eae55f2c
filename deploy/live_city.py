"""What a new live namespace knows from the first minute: the areas of the city profile.

Points and sensors come with an import; boundaries and areas come from the packaged dependency.
"""

from __future__ import annotations

from collections.abc import Callable

from streams.catalog import Profile, Registry, spread_areas
from streams.settings import Settings

PROFILE = Profile("default")


def ensure_areas(
    conninfo: str, namespace: str, settings: Settings, clock_ms: Callable[[], int]
) -> bool:
    """Stores and activates a registry of bare areas where the log is still empty; True if it did.

    Every area, cities too (a station without coordinates stands in its city), has a partition.
    """
    from deploy.city.zhejiang.boundaries import load_boundaries
    from streams.contracts.codec import encode_control
    from streams.log.postgres import PostgresLog
    from streams.storage.connect import connect, translated
    from streams.storage.registry import save_profile, save_registry
    from streams.storage.shapes import save_shapes

    log = PostgresLog(conninfo, namespace)
    try:
        empty = [n for n in range(log.partitions()) if log.end(n) == 0]
        if not empty:
            return False
        boundaries = load_boundaries(settings.var_dir)
        weights = {a.code: 1 for a in boundaries.areas.values() if a.level != "province"}
        count = log.partitions()
        bare = Registry(dict(boundaries.areas), {}, {}, {}, spread_areas(weights, count), count)
        with translated(), connect(conninfo, namespace) as connection:
            save_shapes(connection, boundaries.full, boundaries.sketch)
            stored = save_registry(connection, bare)
            profile = save_profile(connection, PROFILE)
        now = clock_ms()
        for partition in empty:
            log.append(
                partition,
                [
                    encode_control("profile", profile, now),
                    encode_control("registry", stored.version, now),
                ],
            )
    finally:
        log.close()
    return True
