"""Makes a registry of Zhejiang for the simulation: real areas, invented points.

Everything below the areas is drawn from the seed and says so in its name; no real flood point,
gauge or station is meant. The same arguments give the same registry, hence the same version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from deploy.city.zhejiang.boundaries import Boundaries
from deploy.city.zhejiang.place import Places, nearest
from sensors.simulation import noise
from streams.catalog import Area, Gateway, Registry, Sensor, spread_areas
from streams.contracts.domain import Domain, Point

FIRST_COUNTY = "331081"  # 温岭市, where the typhoon of the scenario lands; others by distance
POINTS_PER_COUNTY = 20  # fewer points than 90 counties need fill fewer counties
POINTS_PER_GAUGE = 4
POINTS_PER_GATEWAY = 120
STATIONS_PER_COUNTY = 2
POLLUTANTS = ("pm25", "pm10", "so2", "no2", "o3", "co")
SIGNOFF_STATES = (
    "登记", "整治中", "完工", "观察期", "县级自验", "市级核查", "省级抽查", "销号",
)  # fmt: skip
SIGNOFF_SHARES = (0.06, 0.10, 0.08, 0.08, 0.06, 0.05, 0.05, 0.52)
FINISHED = 2  # from 完工 on the drains are built
INVENTORY_SHARE = 0.8
LINK_SHARE = 0.6
TIDAL_SHARE = 0.12  # of the points of a county by the sea
WITHOUT_COORDINATES = 12  # one air station in so many


@dataclass(frozen=True, slots=True)
class Share:
    """The part of one county."""

    area: Area
    points: int


def build_registry(
    boundaries: Boundaries,
    points: int,
    seed: int,
    partition_count: int,
    others: Iterable[Domain] = (),
) -> Registry:
    """A registry with `points` flood points, their gauges, air stations and gateways.

    Each county also gets one point of the first type of each domain in `others`.

    Sensor ids are 0: the store gives them. Raises `ValueError` for fewer than one point.
    """
    if points < 1:
        raise ValueError("at least one flood point")
    shares = share_out(boundaries, points)
    extra = tuple(others)
    made = [County(boundaries, share, seed, extra) for share in shares]
    found = {p.id: p for p in chain.from_iterable(c.points for c in made)}
    sensors = {s.name: s for s in chain.from_iterable(c.sensors() for c in made)}
    weights = {a.code: 0 for a in boundaries.counties()}
    for sensor in sensors.values():
        weights[found[sensor.point].area] += 1
    return Registry(
        areas=dict(boundaries.areas),
        points=found,
        sensors=sensors,
        gateways={g.id: g for g in chain.from_iterable(c.gateways() for c in made)},
        partitions=spread_areas(weights, partition_count),
        partition_count=partition_count,
    )


def share_out(boundaries: Boundaries, points: int) -> list[Share]:
    """How many points each county gets; the counties nearest to the first one come first."""
    first = boundaries.areas[FIRST_COUNTY]
    counties = sorted(boundaries.counties(), key=lambda a: (_distance2(a, first), a.code))
    used = counties[: max(1, min(len(counties), points // POINTS_PER_COUNTY))]
    each, more = divmod(points, len(used))
    return [Share(area, each + (i < more)) for i, area in enumerate(used)]


class County:
    """The invented points of one county."""

    def __init__(
        self, boundaries: Boundaries, share: Share, seed: int, others: Sequence[Domain] = ()
    ) -> None:
        self._area = share.area
        self._count = share.points
        self._key = noise.key(seed, f"zhejiang.{share.area.code}")
        self._places = Places(boundaries.shape(share.area.code), share.area, self._key)
        self._gauges = tuple(self._make_gauges())
        self._flood = tuple(self._make_flood_points())
        self._stations = tuple(self._make_stations())
        self._others = tuple((domain, self._make_other(domain)) for domain in others)
        self.points: tuple[Point, ...] = (
            *self._gauges,
            *self._flood,
            *self._stations,
            *(point for _, point in self._others),
        )

    def sensors(self) -> Iterator[Sensor]:
        """One device per point; depth and rain share gateways, air has its own."""
        for i, point in enumerate(self._gauges):
            yield Sensor(0, f"{point.id}-r", point.id, self._gateway(i), ("rain",))
        for i, point in enumerate(self._flood):
            yield Sensor(0, f"{point.id}-d", point.id, self._gateway(i), ("depth",))
        for point in self._stations:
            yield Sensor(0, f"{point.id}-a", point.id, f"gw-{self._area.code}-air", POLLUTANTS)
        for domain, point in self._others:
            measured = tuple(p.name for p in domain.properties)
            gateway = f"gw-{self._area.code}-{domain.name}"
            yield Sensor(0, f"{point.id}-s", point.id, gateway, measured)

    def gateways(self) -> Iterable[Gateway]:
        code, name = self._area.code, self._area.name
        yield Gateway(f"gw-{code}-air", code, f"{name}空气站网关")
        for domain, _ in self._others:
            yield Gateway(f"gw-{code}-{domain.name}", code, f"{name}{domain.title.zh}网关")
        for number in range(self._gateway_count()):
            yield Gateway(f"gw-{code}-{number + 1}", code, f"{name}积水网关{number + 1}")

    def _gateway_count(self) -> int:
        return -(-self._count // POINTS_PER_GATEWAY)

    def _gateway(self, number: int) -> str:
        return f"gw-{self._area.code}-{number % self._gateway_count() + 1}"

    def _draw(self, what: str, number: int) -> float:
        return float(noise.uniform(noise.key(self._key, what), number))

    def _make_gauges(self) -> Iterator[Point]:
        code = self._area.code
        for i in range(-(-self._count // POINTS_PER_GAUGE)):
            lon, lat = self._places.town("gauge", i)
            name = f"{self._area.name}模拟雨量站{i + 1}"
            yield Point(f"rg-{code}-{i + 1:03}", "rain_gauge", code, name, lon, lat, {})

    def _make_flood_points(self) -> Iterator[Point]:
        code = self._area.code
        for i in range(self._count):
            lon, lat = self._places.town("flood", i)
            attributes = self._drainage(i) | {"gauge": nearest(lon, lat, self._gauges).id}
            attributes["tidal"] = _yes(
                self._places.by_the_sea and self._draw("tidal", i) < TIDAL_SHARE
            )
            if self._draw("link", i) < LINK_SHARE:
                attributes["link"] = f"rl-{code}-{i + 1:04}"
            name = f"{self._area.name}模拟积水点{i + 1}"
            yield Point(f"fp-{code}-{i + 1:04}", "flood_point", code, name, lon, lat, attributes)

    def _drainage(self, number: int) -> dict[str, str]:
        """Design intensity (mm/h), what the drains really take, and how far the works are."""
        state = _pick(SIGNOFF_SHARES, self._draw("signoff", number))
        design = 38 + round(34 * self._draw("design", number))
        low, high = (0.9, 1.5) if state >= FINISHED else (0.35, 0.8)
        if state == len(SIGNOFF_STATES) - 1:
            low, high = 1.05, 1.8
        drain = design * (low + (high - low) * self._draw("drain", number))
        return {
            "design_rain_mm_h": str(design),
            "drain_mm_h": f"{drain:.1f}",
            "inventory": _yes(self._draw("inventory", number) < INVENTORY_SHARE),
            "signoff": SIGNOFF_STATES[state],
        }

    def _make_stations(self) -> Iterator[Point]:
        code = self._area.code
        for i in range(STATIONS_PER_COUNTY):
            lon, lat = self._places.town("air", i)
            unknown = (int(code) + i) % WITHOUT_COORDINATES == 0
            name = f"{self._area.name}模拟空气站{i + 1}"
            east, north = (None, None) if unknown else (lon, lat)
            yield Point(f"as-{code}-{i + 1}", "air_station", code, name, east, north, {})

    def _make_other(self, domain: Domain) -> Point:
        code, kind = self._area.code, domain.points[0]
        lon, lat = self._places.town(domain.name, 0)
        name = f"{self._area.name}模拟{kind.title.zh}1"
        return Point(f"{domain.name}-{code}-1", kind.name, code, name, lon, lat, {})


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _pick(shares: tuple[float, ...], draw: float) -> int:
    for i, share in enumerate(shares):
        draw -= share
        if draw < 0.0:
            return i
    return len(shares) - 1


def _distance2(one: Area, other: Area) -> float:
    if one.lon is None or one.lat is None or other.lon is None or other.lat is None:
        raise ValueError(f"areas {one.code}, {other.code} need a position")
    return ((one.lon - other.lon) * 0.87) ** 2 + (one.lat - other.lat) ** 2
