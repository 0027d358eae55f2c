"""Small files of points for tests of the registry, and rules to read them against."""

from __future__ import annotations

from pathlib import Path

from deploy.city.zhejiang import codes
from sensors.registry.assemble import Draft, Rules, assemble
from sensors.registry.crs import Crs
from sensors.registry.geography import Geography, geometries
from sensors.registry.source import Reading, read_content
from streams.contracts.domain import Point
from streams.domains import find_domains
from tests.support.zhejiang import zhejiang

WEST_LAKE = (120.13, 30.26)  # in 西湖区 330106
QIANTANG = (120.47, 30.29)  # in 钱塘区 330114
LINPING = (120.30, 30.42)  # in 临平区 330113


def geography() -> Geography:
    """Zhejiang with its packaged boundaries and the default profile."""
    found = zhejiang()
    return Geography(
        found.areas,
        geometries(found.full),
        codes.read_box({}),
        codes.read_retired({}),
        codes.read_pairs(codes.FORMER, {}),
    )


GEOGRAPHY = geography()


def rules(known: dict[str, Point] | None = None, **defaults: str) -> Rules:
    """The found domains and Zhejiang."""
    return Rules(GEOGRAPHY, find_domains(), defaults=defaults, known=known or {})


def draft_of(
    folder: Path,
    text: str | bytes,
    name: str = "points.csv",
    crs: Crs | None = Crs.WGS84,
    encoding: str | None = None,
    against: Rules | None = None,
) -> Draft:
    """What a file of this content gives."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    content = read_content(path, Reading(crs, encoding))
    return assemble([content], against or rules())
