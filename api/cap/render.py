"""One message of an alert's chain as CAP 1.2, in Chinese and English."""

from __future__ import annotations

from decimal import Decimal

from api.cap import words
from api.cap.chain import Told, cap_time
from api.cap.outline import outline
from api.cap.words import Names
from api.queries.rows import Json
from streams.alerting.title import RuleTitles
from streams.contracts.cap.house import Hazard, House
from streams.contracts.cap.model import (
    Area,
    Certainty,
    Circle,
    Info,
    Message,
    MsgType,
    Named,
    Pair,
    ResponseType,
    Scope,
    Status,
    Urgency,
)
from streams.contracts.domain import Title
from streams.contracts.message_status import message_status
from streams.contracts.reason import NamespaceKind, Origin

GEOCODE = "GB/T 2260"
LEVEL = "预警级别"
COMMANDED = "仅限演练人员 exercise participants only"


def render(
    told: Told,
    kind: NamespaceKind,
    house: House,
    titles: RuleTitles,
    geometry: Json | None,
) -> Message:
    """The message. Anything but live input of the live namespace is Exercise or Test, and not for
    the public."""
    status = Status(message_status(kind, Origin(told.row.origin)))
    public = status in house.public
    return Message(
        identifier=told.identifier,
        sender=house.sender,
        sent=told.sent,
        status=status,
        msg_type=told.msg_type,
        scope=Scope.PUBLIC if public else Scope.RESTRICTED,
        restriction=None if public else COMMANDED,
        note=words.note(told, status),
        references=told.references,
        infos=_infos(told, status, house, titles, geometry),
    )


def names_of(told: Told, house: House, titles: RuleTitles) -> tuple[Names, Names]:
    """Event and rule in Chinese and in English."""
    hazard, title = house.hazards.get(told.row.domain, Hazard()), _title(told, titles)
    return (
        Names(hazard.event_zh or title.zh, title.zh),
        Names(hazard.event_en or title.en, title.en),
    )


def _infos(
    told: Told, status: Status, house: House, titles: RuleTitles, geometry: Json | None
) -> tuple[Info, ...]:
    hazard = house.hazards.get(told.row.domain, Hazard())
    zh, en = names_of(told, house, titles)
    response = _response(told, hazard)
    areas = (_area(told, words.place_zh(told), house, geometry),)
    areas_en = (_area(told, words.place_en(told), house, geometry),)
    said_zh, said_en = words.INSTRUCTIONS[response]
    chinese = Info(
        language="zh-CN",
        categories=hazard.categories,
        event=zh.event,
        response_types=(response,),
        urgency=Urgency.PAST if told.is_all_clear else house.urgencies[told.severity],
        severity=house.severities[told.severity],
        certainty=_certainty(told),
        onset=cap_time(told.row.onset),
        expires=told.expires,
        sender_name=house.name_zh,
        headline=words.headline_zh(told, zh, status),
        description=words.description_zh(told, zh),
        instruction=said_zh,
        web=house.web,
        parameters=_parameters(told),
        areas=areas,
    )
    english = Info(
        language="en-US",
        categories=hazard.categories,
        event=en.event,
        response_types=(response,),
        urgency=chinese.urgency,
        severity=chinese.severity,
        certainty=chinese.certainty,
        onset=chinese.onset,
        expires=told.expires,
        sender_name=house.name_en,
        headline=words.headline_en(told, en, status),
        description=words.description_en(told, en),
        instruction=said_en,
        web=house.web,
        parameters=chinese.parameters,
        areas=areas_en,
    )
    return chinese, english


def _title(told: Told, titles: RuleTitles) -> Title:
    return titles.of(told.row.rule, told.row.rule_version)


def _response(told: Told, hazard: Hazard) -> ResponseType:
    if told.msg_type is MsgType.CANCEL:
        return ResponseType.ALL_CLEAR if told.is_all_clear else ResponseType.MONITOR
    return hazard.response_at(told.severity)


def _certainty(told: Told) -> Certainty:
    """Measured, unless the value is doubted or nothing is heard any more."""
    return Certainty.POSSIBLE if told.row.unverified or told.row.stale else Certainty.OBSERVED


def _parameters(told: Told) -> tuple[Named, ...]:
    row = told.row
    said = {
        LEVEL: words.COLOURS_ZH[told.severity],
        "alert": row.alert,
        "sequence": str(row.sequence),
        "renewal": str(told.renewal) if told.renewal else None,
        "change": row.change,
        "rule": row.rule,
        "rule_version": row.rule_version,
        "origin": row.origin,
        "value": row.value,
        "threshold": row.threshold,
        "unit": row.unit or None,
    }
    return tuple(Named(name, text) for name, text in said.items() if text is not None)


def _area(told: Told, name: str, house: House, geometry: Json | None) -> Area:
    """A circle around the point; of an alert about an area its outline; always the code."""
    row = told.row
    circles: tuple[Circle, ...] = ()
    polygons: tuple[tuple[Pair, ...], ...] = ()
    if row.point is not None and row.lon is not None and row.lat is not None:
        centre = Decimal(f"{row.lat:.5f}"), Decimal(f"{row.lon:.5f}")
        circles = (Circle(*centre, Decimal(house.radius_m) / 1000),)
    elif geometry is not None:
        polygons = outline(geometry, house.pairs)
    return Area(name, polygons, circles, (Named(GEOCODE, row.area),))
