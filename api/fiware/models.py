"""What of ours becomes which attribute of which Smart Data Model: tables, one for each model.

Keyed by property, point type, kind of result and rule; a domain that is not installed simply gives
no entities. Attributes, limits and enums: JSON Schemas of the models (Environment, Transportation,
Weather, Alert; domain.md §7). Unit codes: UN/CEFACT Recommendation 20. Severity words, categories
and the datum of a flood level are house conventions (H).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from streams.contracts.reason import Severity

_SOURCE = "https://raw.githubusercontent.com/smart-data-models/dataModel.{}/master/context.jsonld"
CORE_CONTEXT = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"


@dataclass(frozen=True, slots=True)
class Attribute:
    """`name` of the model is our `property`, in the same unit. Outside of the model's limits there
    is no attribute (our reading stays among `readings`)."""

    name: str
    property: str
    unit_code: str
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """Of the newest result of `kind`: the entries `beside` become one extra property `extra`, with
    the period they are of; `whole` is (key, attribute) of a whole number that the model has."""

    kind: str
    extra: str
    beside: tuple[str, ...]
    whole: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean attribute: `key` of the newest result is at least `least`; where the result does
    not state it, whether an alert of the point is open."""

    name: str
    key: str
    least: int


@dataclass(frozen=True, slots=True)
class Levels:
    """How a depth is told as levels of a station, over the road as datum."""

    property: str
    unit_code: str


@dataclass(frozen=True, slots=True)
class Model:
    """One model. An entity exists when one of its attributes has ever been read."""

    name: str
    context: str
    point_types: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    observed: str  # the attribute that holds the newest event time
    interval: bool = False  # dateObservedFrom and dateObservedTo exist
    located: bool = False  # location is required
    reference: tuple[str, str] | None = None  # relationship, type of its object
    station: str | None = None  # attribute that holds our point id
    device: bool = False  # refDevice exists
    derived: Derived | None = None
    levels: Levels | None = None
    flag: Flag | None = None


ZERO = Decimal(0)


def _pollutant(name: str, unit_code: str) -> Attribute:
    return Attribute(name, name, unit_code, ZERO)


AIR = Model(
    "AirQualityObserved",
    _SOURCE.format("Environment"),
    ("air_station",),
    (
        _pollutant("pm25", "GQ"),  # µg/m³
        _pollutant("pm10", "GQ"),
        _pollutant("so2", "GQ"),
        _pollutant("no2", "GQ"),
        _pollutant("o3", "GQ"),
        _pollutant("co", "GP"),  # mg/m³
    ),
    "dateObserved",
    located=True,
    reference=("refPointOfInterest", "PointOfInterest"),
    device=True,
    derived=Derived(
        "air.station.hour",
        "airQualityIndexDetail",
        ("level", "primary", "iaqi", "missing", "standard_version", "withheld"),
        ("aqi", "airQualityIndex"),
    ),
)
FLOOD = Model(
    "FloodMonitoring",
    _SOURCE.format("Environment"),
    ("flood_point",),
    (Attribute("currentLevel", "depth", "MTR"),),
    "observationDateTime",
    station="stationID",
    levels=Levels("depth", "MTR"),
)
TRAFFIC = Model(
    "TrafficFlowObserved",
    _SOURCE.format("Transportation"),
    ("road_link",),
    (
        Attribute("averageVehicleSpeed", "speed", "KMH", ZERO),
        Attribute("intensity", "vehicle_count", "C62", ZERO),
        Attribute("travelTime", "travel_time", "SEC"),  # ours: the model has none
    ),
    "dateObserved",
    interval=True,
    reference=("refRoadSegment", "RoadSegment"),
    derived=Derived(  # no TTI, no TPI in the model
        "traffic.link.5min", "trafficState", ("dtp", "tti", "tpi", "grade", "grade_name", "method")
    ),
    flag=Flag("congested", "grade", 3),  # 轻度拥堵, GB/T 33171-2016 annex C
)
WEATHER = Model(
    "WeatherObserved",
    _SOURCE.format("Weather"),
    ("rain_gauge", "weather_station"),
    (
        Attribute("precipitation", "rain", "MMT", ZERO),  # litres per square metre
        Attribute("windSpeed", "wind_speed", "MTS", ZERO),
        Attribute("gustSpeed", "gust", "MTS"),
        Attribute("temperature", "air_temperature", "CEL"),
        Attribute("snowHeight", "snow_depth", "CMT", ZERO),
        Attribute("snowfall", "snowfall", "MMT"),  # ours: the model has none
    ),
    "dateObserved",
    located=True,
    device=True,
)
MODELS: Mapping[str, Model] = {m.name: m for m in (AIR, FLOOD, TRAFFIC, WEATHER)}

ALERT = "Alert"
ALERT_CONTEXT = _SOURCE.format("Alert")
SEVERITY: Mapping[Severity, str] = {
    Severity.NONE: "informational",
    Severity.BLUE: "low",
    Severity.YELLOW: "medium",
    Severity.ORANGE: "high",
    Severity.RED: "critical",
}
# Longest beginning of the rule's name that is listed here: (category, subCategory).
CATEGORIES: Mapping[str, tuple[str, str | None]] = {
    "": ("security", None),  # a domain that this table does not know yet
    "air": ("environment", "airPollution"),
    "waterlogging": ("naturalDisaster", "flood"),
    "waterlogging.rise": ("naturalDisaster", "floodRisk"),
    "traffic": ("traffic", "trafficJam"),
    "shelter": ("security", None),
    "shelter.occupancy": ("security", "crowdRisk"),
    "weather": ("weather", None),
    "weather.rain": ("weather", "rainfall"),
    "weather.wind": ("weather", "wind"),
    "weather.typhoon": ("weather", "tropicalCyclone"),
    "weather.heat": ("weather", "highTemperature"),
    "weather.cold_wave": ("weather", "coldWave"),
    "weather.snow": ("weather", "snow"),
}


def category(rule: str) -> tuple[str, str | None]:
    """Category and sub-category of a rule's alerts: the entry that covers most of its name."""
    return CATEGORIES[max((k for k in CATEGORIES if rule.startswith(k)), key=len)]
