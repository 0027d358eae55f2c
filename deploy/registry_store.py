"""The registry of a namespace: read with everything that files are checked against, and changed.

A change is saved as a version first and activated by a control record in every partition of the
log; when that is cut off half-way, running it again finishes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensors.registry.formats import Format
from sensors.registry.geography import Geography, geometries
from streams.catalog import Area, Profile, Registry, spread_areas
from streams.contracts.reason import NamespaceKind
from streams.errors import Misconfigured

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.storage.connect import Connection

APPLICATION = "citybrain registry"
TIMEOUT_S = 600  # a city's registry in one transaction, on a slow disk


@dataclass(frozen=True)
class Standing:
    """What a namespace knows: its newest registry version and what places are checked against."""

    namespace: str
    kind: NamespaceKind
    version: str
    registry: Registry
    profile: Mapping[str, str]
    geography: Geography


def standing(conninfo: str, namespace: str) -> Standing:
    """Reads it. Raises `Misconfigured` when the namespace has no registry, `Unavailable`."""
    from streams.storage.migrate import namespace_kind
    from streams.storage.registry import newest
    from streams.storage.shapes import load_shapes

    with opened(conninfo, namespace) as connection:
        found = newest(connection, "registry")
        if found is None:
            raise Misconfigured([f"namespace {namespace} has no registry: run `citybrain up` once"])
        profile = newest(connection, "profile")
        shapes = load_shapes(connection)
        kind = namespace_kind(connection)
    registry = Registry.from_dict(found[1])
    values = Profile.from_dict(profile[1]).values if profile else {}
    return Standing(
        namespace,
        kind,
        found[0],
        registry,
        values,
        geography(registry.areas, values, geometries(shapes)),
    )


def elsewhere(format: Format, partitions: int) -> Standing:
    """The throwaway standing of a recording from elsewhere, before anything is imported."""
    registry = Registry(
        areas={area.code: area for area in format.areas},
        points={},
        sensors={},
        gateways={},
        partitions=spread_areas({a.code: 1 for a in format.areas if a.parent}, partitions),
        partition_count=partitions,
    )
    name = f"registry_{format.name.replace('-', '_')}"
    return Standing(
        name,
        NamespaceKind.REPLAY,
        "",
        registry,
        format.profile,
        geography(registry.areas, format.profile, {}),
    )


def geography(
    areas: Mapping[str, Area], values: Mapping[str, str], shapes: Mapping[str, object]
) -> Geography:
    """Places under a profile. Raises `Misconfigured` for a profile that cannot be read."""
    from deploy.city.zhejiang import codes

    return Geography(
        areas,
        shapes,
        codes.read_box(values),
        codes.read_retired(values),
        codes.read_pairs(codes.FORMER, values),
    )


def found_version(conninfo: str, namespace: str, beginning: str) -> Registry | None:
    """The stored registry version whose hash begins so; None when there is none.

    Raises `Misconfigured` when several do.
    """
    from streams.storage.registry import known_versions, load_version

    with opened(conninfo, namespace) as connection:
        versions = known_versions(connection, beginning)
        if len(versions) > 1:
            raise Misconfigured([f"{beginning} begins {len(versions)} versions: write more of it"])
        return Registry.from_dict(load_version(connection, versions[0])) if versions else None


def store(
    settings: Settings, before: Standing, registry: Registry, clock_ms: Callable[[], int]
) -> tuple[str, int]:
    """Saves and activates the registry where `before` stands; (version, partitions told).

    Nothing is saved when it is the version in force, and nobody is told who has passed it.
    """
    from streams.storage.registry import passed_versions, replace_newest

    with opened(settings.conninfo(), before.namespace) as connection:
        numbered = replace_newest(connection, before.version, registry)
        version = numbered.version
        passed = passed_versions(connection, "registry")
    behind = [n for n in range(registry.partition_count) if passed.get(n) != version]
    tell(settings, before.namespace, behind, {"registry": version}, clock_ms())
    return version, len(behind)


def store_elsewhere(
    settings: Settings, fresh: Standing, registry: Registry, clock_ms: Callable[[], int]
) -> str:
    """Makes the throwaway namespace anew with this registry; its version. A live namespace is
    never dropped (`Misconfigured`)."""
    from streams.storage.migrate import drop_namespace, migrate
    from streams.storage.registry import save_profile, save_registry

    count, conninfo = registry.partition_count, settings.conninfo()
    drop_namespace(conninfo, fresh.namespace)
    migrate(conninfo, fresh.namespace, fresh.kind, partitions=count)
    with opened(conninfo, fresh.namespace) as connection:
        version = save_registry(connection, registry).version
        profile = save_profile(connection, Profile(fresh.namespace, fresh.profile))
    versions = {"profile": profile, "registry": version}
    tell(settings, fresh.namespace, range(count), versions, clock_ms())
    return version


def tell(
    settings: Settings,
    namespace: str,
    partitions: Sequence[int],
    versions: Mapping[str, str],
    now_ms: int,
) -> None:
    """Control records, the profile's first: an area takes its timing from it when it is made."""
    from streams.contracts.codec import encode_control
    from streams.log.opening import open_log

    controls = [encode_control(kind, versions[kind], now_ms) for kind in sorted(versions)]
    log = open_log(settings, namespace)
    try:
        for partition in partitions:
            log.append(partition, controls)
    finally:
        log.close()


@contextmanager
def opened(conninfo: str, namespace: str) -> Iterator[Connection]:
    """One transaction in the namespace. Raises `Misconfigured` when it is not there."""
    from streams.storage.connect import connect, translated
    from streams.storage.migrate import is_migrated

    with translated(), connect(conninfo, namespace, APPLICATION, timeout_s=TIMEOUT_S) as connection:
        if not is_migrated(connection):
            raise Misconfigured(
                [f"namespace {namespace} does not exist or is older: run `citybrain migrate`"]
            )
        yield connection
