"""The invented points, sensors and gateways of one county of Zhejiang.

Everything is drawn from the seed and says so in its name (模拟); no real flood point, gauge,
station, road or shelter is meant. Only what the given domains watch is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from deploy.city.zhejiang.boundaries import Boundaries
from deploy.city.zhejiang.draw import Draw, pick, yes
from deploy.city.zhejiang.place import Places, nearest
from sensors.simulation import noise
from streams.catalog import Area, Gateway, Sensor
from streams.contracts.domain import Domain, Point

POINTS_PER_GAUGE = 4
POINTS_PER_STATION = 20  # weather stations, and one more
POINTS_PER_SHELTER = 5
SHELTERS_LEAST = 2
POINTS_PER_GATEWAY = 120
STATIONS_PER_COUNTY = 2  # of the air
POLLUTANTS = ("pm25", "pm10", "so2", "no2", "o3", "co")
WEATHER = ("wind_speed", "gust", "air_temperature", "snowfall", "snow_depth")
TRAFFIC = ("travel_time", "speed", "vehicle_count")
COUNTED, COUNTER = ("occupants", "open"), ("check_in", "check_out", "open")
OPEN_AIR, UNDER_THE_SKY = ("occupants",), "emergency"  # no door that could be shut
COUNTER_SHARE = 0.3  # of the shelters have a counter at the door
SIGNOFF_STATES = (
    "登记", "整治中", "完工", "观察期", "县级自验", "市级核查", "省级抽查", "销号",
)  # fmt: skip
SIGNOFF_SHARES = (0.06, 0.10, 0.08, 0.08, 0.06, 0.05, 0.05, 0.52)
FINISHED = 2  # from 完工 on the drains are built
INVENTORY_SHARE = 0.8
LINK_SHARE = 0.6  # of the flood points lie on a road link
TIDAL_SHARE = 0.12  # of the points of a county by the sea
WITHOUT_COORDINATES = 12  # one air station in so many


@dataclass(frozen=True, slots=True)
class RoadClass:
    """Ranges from which a link's free flow and length are drawn."""

    name: str
    share: float
    kmh: tuple[int, int]
    length_m: tuple[int, int]


ROADS = (
    RoadClass("expressway", 0.06, (70, 80), (800, 3_000)),
    RoadClass("trunk", 0.24, (50, 60), (400, 1_500)),
    RoadClass("secondary", 0.35, (40, 50), (300, 1_000)),
    RoadClass("branch", 0.35, (30, 40), (150, 600)),
)


@dataclass(frozen=True, slots=True)
class ShelterClass:
    """A class of GB 51143-2015 with the range of effective areas drawn here."""

    name: str
    share: float
    area_m2: tuple[int, int]
    m2_per_person: float
    hazards: str


SHELTERS = (
    ShelterClass("emergency", 0.15, (400, 3_000), 0.5, "earthquake"),
    ShelterClass("temporary", 0.15, (200, 1_200), 1.0, "flood,typhoon"),
    ShelterClass("short", 0.45, (300, 2_400), 2.0, "flood,typhoon"),
    ShelterClass("medium", 0.20, (1_000, 6_000), 3.0, "flood,typhoon,earthquake"),
    ShelterClass("long", 0.05, (5_000, 12_000), 4.5, "flood,typhoon,earthquake"),
)
STANDARDISED_SHARE, DEREGISTERED_SHARE, BY_AREA_SHARE = 0.6, 0.04, 0.5
STANDARDISED_FROM, DEREGISTERED_FROM = date(2021, 7, 15), date(2023, 1, 1)
ACCEPTING_DAYS, REMOVING_DAYS = 1_700, 1_000


class County:
    """See the module; `count` flood points, everything else in proportion."""

    def __init__(
        self, boundaries: Boundaries, area: Area, count: int, seed: int, domains: Sequence[Domain]
    ) -> None:
        self._area = area
        self._count = count
        key = noise.key(seed, f"zhejiang.{area.code}")
        self._draw = Draw(key)
        self._places = Places(boundaries.shape(area.code), area, key)
        self._measured = {p.name for domain in domains for p in domain.properties}
        types = {kind.name for domain in domains for kind in domain.points}
        self._gauges = tuple(self._make_gauges())
        self._flood = tuple(self._make_flood_points("road_link" in types))
        self._stations = tuple(self._make_stations()) if "air_station" in types else ()
        self._weather = tuple(self._make_weather()) if "weather_station" in types else ()
        self._links = tuple(self._make_links()) if "road_link" in types else ()
        self._shelters = tuple(self._make_shelters()) if "shelter" in types else ()
        unplayed = (d for d in domains if d.simulated is None and d.points)
        self._others = tuple((domain, self._make_other(domain)) for domain in unplayed)
        self.points: tuple[Point, ...] = (
            *self._gauges,
            *self._flood,
            *self._stations,
            *self._weather,
            *self._links,
            *self._shelters,
            *(point for _, point in self._others),
        )

    def sensors(self) -> Iterator[Sensor]:
        """One device per point; each kind has its gateways, the gauges that of the weather."""
        for i, point in enumerate(self._flood):
            yield from self._sensor(point, "d", str(self._water_gateway(i)), ("depth",))
        for point in self._gauges:
            yield from self._sensor(point, "r", "weather", ("rain",))
        for point in self._weather:
            yield from self._sensor(point, "w", "weather", WEATHER)
        for point in self._stations:
            yield from self._sensor(point, "a", "air", POLLUTANTS)
        for point in self._links:
            yield from self._sensor(point, "t", "road", TRAFFIC)
        for i, point in enumerate(self._shelters):
            yield from self._sensor(point, "s", "shelter", self._shelter_devices(point, i))
        for domain, point in self._others:
            yield from self._sensor(point, "s", domain.name, [p.name for p in domain.properties])

    def _shelter_devices(self, point: Point, number: int) -> tuple[str, ...]:
        if point.attributes["class"] == UNDER_THE_SKY:
            return OPEN_AIR
        return COUNTER if self._draw.share("counter", number) < COUNTER_SHARE else COUNTED

    def _sensor(
        self, point: Point, suffix: str, gateway: str, measured: Sequence[str]
    ) -> Iterator[Sensor]:
        known = tuple(name for name in measured if name in self._measured)
        if known:
            full = f"gw-{self._area.code}-{gateway}"
            yield Sensor(0, f"{point.id}-{suffix}", point.id, full, known)

    def gateways(self) -> Iterable[Gateway]:
        """Those that have sensors."""
        names = {"air": "空气站", "weather": "气象", "road": "路况", "shelter": "避灾"}
        names |= {domain.name: domain.title.zh for domain, _ in self._others}
        used = {sensor.gateway for sensor in self.sensors()}
        code, area = self._area.code, self._area.name
        made = [Gateway(f"gw-{code}-{kind}", code, f"{area}{zh}网关") for kind, zh in names.items()]
        for number in range(1, self._water_gateways() + 1):
            made.append(Gateway(f"gw-{code}-{number}", code, f"{area}积水网关{number}"))
        return [gateway for gateway in made if gateway.id in used]

    def _water_gateways(self) -> int:
        return -(-self._count // POINTS_PER_GATEWAY)

    def _water_gateway(self, number: int) -> int:
        return number % self._water_gateways() + 1

    def _point(
        self,
        kind: str,
        point_id: str,
        what: str,
        at: tuple[float | None, float | None],
        attributes: dict[str, str] | None = None,
    ) -> Point:
        code, name = self._area.code, f"{self._area.name}模拟{what}"
        return Point(point_id, kind, code, name, at[0], at[1], attributes or {})

    def _make_gauges(self) -> Iterator[Point]:
        for i in range(-(-self._count // POINTS_PER_GAUGE)):
            name = f"rg-{self._area.code}-{i + 1:03}"
            at = self._places.town("gauge", i)
            yield self._point("rain_gauge", name, f"雨量站{i + 1}", at)

    def _make_flood_points(self, with_links: bool) -> Iterator[Point]:
        code = self._area.code
        for i in range(self._count):
            lon, lat = self._places.town("flood", i)
            attributes = self._drainage(i) | {"gauge": nearest(lon, lat, self._gauges).id}
            attributes["tidal"] = yes(
                self._places.by_the_sea and self._draw.share("tidal", i) < TIDAL_SHARE
            )
            if with_links and self._draw.share("link", i) < LINK_SHARE:
                attributes["link"] = f"rl-{code}-{i + 1:04}"
            name = f"fp-{code}-{i + 1:04}"
            yield self._point("flood_point", name, f"积水点{i + 1}", (lon, lat), attributes)

    def _drainage(self, number: int) -> dict[str, str]:
        """Design intensity (mm/h), what the drains really take, and how far the works are."""
        state = pick(SIGNOFF_SHARES, self._draw.share("signoff", number))
        design = self._draw.whole("design", number, (38, 72))
        low, high = (0.9, 1.5) if state >= FINISHED else (0.35, 0.8)
        if state == len(SIGNOFF_STATES) - 1:
            low, high = 1.05, 1.8
        drain = design * (low + (high - low) * self._draw.share("drain", number))
        return {
            "design_rain_mm_h": str(design),
            "drain_mm_h": f"{drain:.1f}",
            "inventory": yes(self._draw.share("inventory", number) < INVENTORY_SHARE),
            "signoff": SIGNOFF_STATES[state],
        }

    def _make_links(self) -> Iterator[Point]:
        """One for each flood point: where it lies on a road, that road; else one in town."""
        for i, flood in enumerate(self._flood):
            road = ROADS[pick([r.share for r in ROADS], self._draw.share("road", i))]
            attributes = {
                "road_class": road.name,
                "free_flow_kmh": str(self._draw.whole("kmh", i, road.kmh)),
                "length_m": str(self._draw.whole("length", i, road.length_m)),
            }
            at = (flood.lon, flood.lat)
            if "link" not in flood.attributes:
                at = self._places.town("road", i)
            name = f"rl-{self._area.code}-{i + 1:04}"
            yield self._point("road_link", name, f"路段{i + 1}", at, attributes)

    def _make_shelters(self) -> Iterator[Point]:
        for i in range(max(SHELTERS_LEAST, self._count // POINTS_PER_SHELTER)):
            name = f"sh-{self._area.code}-{i + 1:03}"
            at = self._places.town("shelter", i)
            yield self._point("shelter", name, f"避灾安置场所{i + 1}", at, self._shelter(i))

    def _shelter(self, number: int) -> dict[str, str]:
        """Half of them say their capacity, half their effective area."""
        kind = SHELTERS[pick([s.share for s in SHELTERS], self._draw.share("class", number))]
        area = self._draw.whole("area", number, kind.area_m2)
        by_area = self._draw.share("by_area", number) < BY_AREA_SHARE
        size = (
            {"effective_area_m2": str(area)}
            if by_area
            else {"capacity": str(int(area / kind.m2_per_person))}
        )
        return size | {"class": kind.name, "hazards": kind.hazards} | self._dates(number)

    def _dates(self, number: int) -> dict[str, str]:
        """Since when it counts as standardised, and since when it is no shelter any more."""
        dates = {}
        if self._draw.share("standardised", number) < STANDARDISED_SHARE:
            after = self._draw.whole("accepted", number, (0, ACCEPTING_DAYS))
            dates["standardised"] = str(STANDARDISED_FROM + timedelta(after))
        if self._draw.share("deregistered", number) < DEREGISTERED_SHARE:
            after = self._draw.whole("removed", number, (0, REMOVING_DAYS))
            dates["deregistered"] = str(DEREGISTERED_FROM + timedelta(after))
        return dates

    def _make_stations(self) -> Iterator[Point]:
        code = self._area.code
        for i in range(STATIONS_PER_COUNTY):
            unknown = (int(code) + i) % WITHOUT_COORDINATES == 0
            at = (None, None) if unknown else self._places.town("air", i)
            yield self._point("air_station", f"as-{code}-{i + 1}", f"空气站{i + 1}", at)

    def _make_weather(self) -> Iterator[Point]:
        for i in range(1 + self._count // POINTS_PER_STATION):
            name = f"ws-{self._area.code}-{i + 1:02}"
            at = self._places.town("weather", i)
            yield self._point("weather_station", name, f"气象站{i + 1}", at)

    def _make_other(self, domain: Domain) -> Point:
        kind = domain.points[0]
        name = f"{domain.name}-{self._area.code}-1"
        return self._point(kind.name, name, f"{kind.title.zh}1", self._places.town(domain.name, 0))
