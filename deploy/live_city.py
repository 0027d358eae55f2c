"""What a new live namespace knows from the first minute: the areas of the city profile.

Points and sensors come with an import; boundaries and areas come from the packaged dependency.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from streams.catalog import Area, Profile, Registry, spread_areas
from streams.settings import Settings

PROFILE = Profile("default")


def ensure_areas(
    conninfo: str, namespace: str, settings: Settings, clock_ms: Callable[[], int]
) -> bool:
    """Stores and activates a registry of bare areas when there is none, and with it the empty rule
    set; True if it did anything.

    A start that was cut off half-way is finished: a partition with an empty log gets what the
    others got. Every area, cities too (a station without coordinates stands in its city), has a
    partition.
    """
    from deploy.city.zhejiang.boundaries import load_boundaries
    from streams.contracts.codec import encode_control
    from streams.log.opening import open_log
    from streams.storage.connect import connect, translated
    from streams.storage.registry import first_rules, newest, save_profile, save_registry
    from streams.storage.shapes import save_shapes

    log = open_log(settings, namespace, conninfo)
    try:
        count = log.partitions()
        with translated(), connect(conninfo, namespace) as connection:
            known = newest(connection, "registry")
            targets = [n for n in range(count) if known is None or log.end(n) == 0]
            if not targets:
                return False
            profile = save_profile(connection, PROFILE)
            if known is None:
                boundaries = load_boundaries(settings.var_dir)
                save_shapes(connection, boundaries.full, boundaries.sketch)
                version = save_registry(connection, _bare(boundaries.areas, count)).version
            else:
                version = known[0]
            rules = first_rules(connection)
        now = clock_ms()
        controls = [
            encode_control("profile", profile, now),
            encode_control("registry", version, now),
            encode_control("rules", rules, now),
        ]
        for partition in targets:
            log.append(partition, controls)
    finally:
        log.close()
    return True


def _bare(areas: Mapping[str, Area], count: int) -> Registry:
    weights = {a.code: 1 for a in areas.values() if a.level != "province"}
    return Registry(dict(areas), {}, {}, {}, spread_areas(weights, count), count)
