"""What the two forms of the national hourly air feed share: properties and published marks."""

from __future__ import annotations

from sensors.feeds.cells import is_missing

PROPERTIES = ("pm25", "pm10", "so2", "no2", "o3", "co")

# Names of primary pollutants as the feed prints them (domain reference §1.4.6); the last three do
# not occur in the recordings and follow the names of HJ 633.
_POLLUTANTS = {
    "细颗粒物(PM2.5)": "pm25",
    "颗粒物(PM10)": "pm10",
    "臭氧1小时": "o3",
    "二氧化氮": "no2",
    "二氧化硫": "so2",
    "一氧化碳": "co",
    "臭氧": "o3",
}


def primary_set(text: str, aqi: str | None) -> tuple[str, ...] | None:
    """The published primary pollutants as properties, sorted; None when no AQI was published.

    Ties are joined by commas or by line breaks inside the cell. An empty tuple says that the row
    has an AQI and names no primary pollutant. An unknown name stays as it is: it must show up as a
    disagreement, not vanish.
    """
    if aqi is None:
        return None
    if is_missing(text):
        return ()
    names = text.replace(",", " ").split()
    return tuple(sorted({_POLLUTANTS.get(name, name) for name in names}))


def stated(text: str) -> str | None:
    """The cell, or None when it is marked missing."""
    return None if is_missing(text) else text.strip()
