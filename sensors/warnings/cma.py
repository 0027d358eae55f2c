"""Rows of the national list of warnings (the meteorological centre's and the release centre's).

What a row says twice must agree: the colour of its title and of its code or icon, the code of its
`alertid` and of its `adcode`, its times. A row that contradicts itself is refused by the rule that
it breaks. Rows have no references: a warning of the same offices about the same type in the same
region takes the place of the one before, and 解除 ends it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec

from sensors.warnings.places import Places
from sensors.warnings.title import Title, parse_title
from sensors.warnings.types import ICON_LEVELS, ROW_LEVELS, known_type
from streams.contracts.cap.model import Status
from streams.contracts.reason import Reason, Severity
from streams.contracts.warning import Form, Kind, OfficialWarning
from streams.errors import InvalidEvent

SENDER = "nmc.cn"
MEDIA_TYPE = "application/json"
DEEPEST = 8  # levels of a document that rows are looked for in
TOLERANCE_MS = 3_600_000  # between the time in the alertid and the one beside it
SHANGHAI = timezone(timedelta(hours=8))
_ID = re.compile(r"(?P<area>\d{6})(?P<office>\d{8})_(?P<time>\d{14})", re.ASCII)
_ROW_CODE = re.compile(r"\d{2}(?P<level>\d{2})", re.ASCII)
_ICON = re.compile(r"p\d{4}(?P<level>\d{3})\.\w{3,4}", re.ASCII)


def find_rows(document: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Every row in a JSON document, wherever it stands: what has an alertid and a title."""
    if isinstance(document, Mapping):
        if _field(document, "alertid") and "title" in document:
            yield document
        elif depth < DEEPEST:
            for value in document.values():
                yield from find_rows(value, depth + 1)
    elif isinstance(document, list) and depth < DEEPEST:
        for value in document:
            yield from find_rows(value, depth + 1)


def read_row(row: Mapping[str, Any], places: Places) -> OfficialWarning:
    """The warning of a row; `InvalidEvent` names the rule that the row breaks."""
    name = str(_field(row, "alertid"))
    match = _ID.fullmatch(name)
    if match is None:
        raise _broken("alertid", f"{name[:60]!r} is not <6 digits><8 digits>_<14 digits>")
    title = parse_title(str(row["title"]))
    _check_colour(title.severity, row)
    area = match["area"]
    if str(row.get("adcode") or area) != area:
        raise _broken("adcode", f"{row['adcode']!r} is another area than {area} of the alertid")
    event = known_type(title.event)
    return OfficialWarning(
        sender=SENDER,
        identifier=name,
        sent_ms=_sent_ms(match["time"], row),
        kind=Kind.CANCEL if _ends(title, row) else Kind.ALERT,
        status=Status.ACTUAL,
        form=Form.CMA_ROW,
        issuers=title.issuers,
        event=title.event,
        type=event,
        severity=title.severity,
        areas=(area,),
        area_text=_region_text(title, row, area, places),
        headline=str(row["title"]),
        description=str(row.get("description") or ""),
        language="zh-CN",
        media_type=MEDIA_TYPE,
        original=msgspec.json.encode(row, order="sorted"),
        series=f"{area}|{match['office']}|{'、'.join(title.issuers)}|{title.event}",
        geometry=_geometry(row),
    )


def _ends(title: Title, row: Mapping[str, Any]) -> bool:
    return title.ends or "解除" in str(row.get("status") or "")


def _field(row: Mapping[str, Any], name: str) -> Any:
    """The centres spell it alertid and alertId."""
    return row.get(name) or row.get("alertId")


def _broken(rule: str, detail: str) -> InvalidEvent:
    return InvalidEvent(Reason.INVALID_WARNING, f"rule {rule}: {detail}")


def _check_colour(stated: Severity, row: Mapping[str, Any]) -> None:
    code = _ROW_CODE.fullmatch(str(row.get("code") or ""))
    icon = _ICON.search(str(row.get("pic") or ""))
    said = {
        "code": ROW_LEVELS.get(code["level"]) if code else None,
        "pic": ICON_LEVELS.get(icon["level"]) if icon else None,
    }
    for name, severity in said.items():
        if severity is not None and severity is not stated:
            raise _broken(
                "colour", f"the title says {stated.name.lower()}, {name} {severity.name.lower()}"
            )


def _sent_ms(stamp: str, row: Mapping[str, Any]) -> int:
    """Published time in seconds where it is stated, else the seconds of the alertid."""
    try:
        named = _at(stamp, "%Y%m%d%H%M%S")
        minute = row.get("issuetime")
        stated = named if minute is None else _at(str(minute), "%Y/%m/%d %H:%M")
        unix = row.get("pubtimestamp")
        published = None if unix is None else int(unix) * 1000
    except (ValueError, TypeError) as error:
        raise _broken("time", str(error)) from error
    for other in (stated, published):
        if other is not None and abs(other - named) > TOLERANCE_MS:
            raise _broken("time", "the alertid and the time beside it lie more than 1 h apart")
    return named if published is None else published


def _at(text: str, form: str) -> int:
    moment = datetime.strptime(text, form).replace(tzinfo=SHANGHAI)
    return int(moment.timestamp()) * 1000


def _region_text(title: Title, row: Mapping[str, Any], code: str, places: Places) -> str:
    """How people call the area: as the row, the registry or the title names it."""
    known = places.areas.get(code)
    return str(row.get("location") or (known.name if known else title.region))


def _geometry(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """`latlon` has the latitude first."""
    pair = row.get("latlon")
    if not isinstance(pair, list) or len(pair) != 2:
        return None
    try:
        lat, lon = (float(number) for number in pair)
    except (TypeError, ValueError):
        return None
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        raise _broken("latlon", f"{pair} is no latitude and longitude")
    return {"type": "Point", "coordinates": [lon, lat]}
