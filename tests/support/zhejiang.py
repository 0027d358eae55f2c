"""The boundaries and a small registry of Zhejiang, extracted once per test run."""

from __future__ import annotations

from functools import lru_cache

from deploy.city.zhejiang.boundaries import Boundaries, extract, from_extract, package_files
from deploy.city.zhejiang.build import build_registry
from streams.catalog import Registry
from streams.domains import find_domains

SEED = 7


@lru_cache(maxsize=1)
def zhejiang() -> Boundaries:
    """All 102 areas."""
    return from_extract(extract(package_files()))


@lru_cache(maxsize=8)
def registry_of(points: int, seed: int = SEED, partitions: int = 4) -> Registry:
    """An invented registry with so many flood points."""
    return build_registry(zhejiang(), points, seed, partitions, find_domains().values())
