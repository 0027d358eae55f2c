"""Incidents as people read them in mail and chat: how many alerts, and the worst of them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from api.colour import COLOURS
from api.delivery.event import Event
from api.delivery.subscription import Language
from api.delivery.telling import IncidentNow, Word
from api.delivery.wording import (
    MOST_LINES,
    ORIGIN,
    Letter,
    Names,
    head_of,
    letter,
    line_of,
    mark_of,
)
from api.moment import iso
from streams.contracts.reason import Severity

WITH_WORST = 7  # so many incidents show their worst alerts in one message
BELOW = -1  # a line that belongs to the one above
WORDS = {
    Word.OPENED: ("新发事件", "opened"),
    Word.RAISED: ("事件升级", "more severe"),
    Word.CHANGED: ("事件进展", "update"),
    Word.OVER: ("事件结束", "over"),
}


@dataclass(frozen=True, slots=True)
class ToldIncident:
    """An incident in a message: why it is told, and its worst alerts."""

    incident: IncidentNow
    word: Word
    worst: tuple[Event, ...] = ()


def incident_letter(
    told: Sequence[ToldIncident],
    alone: Sequence[tuple[Event, bool]],
    language: Language,
    names: Names,
    is_expired: Callable[[Event], bool],
) -> Letter:
    """The worst incident first; `alone` are alerts that could not be grouped in time."""
    if not told:
        return letter(alone, language, names)
    ordered = sorted(told, key=lambda each: (-each.incident.weight, each.incident.began))
    lines: list[str] = []
    severities: list[int] = []
    for each in ordered:
        lines.append(_line(each, language, names, is_expired))
        severities.append(each.incident.weight)
        if each.incident.alerts > 1 and len(told) <= WITH_WORST:
            for event in each.worst:
                lines.append(line_of(event, is_expired(event), language, names))
                severities.append(BELOW)
    for event, expired in alone:
        lines.append(line_of(event, expired, language, names))
        severities.append(int(event.content["severity"]))
    subject = _subject(ordered[0], language, names)
    if more := len(told) + len(alone) - 1:
        zh = language is Language.ZH
        subject += f" 等 {more + 1} 起" if zh else f" and {more} more"
    return Letter(subject, tuple(lines[:MOST_LINES]), tuple(severities))


def _subject(told: ToldIncident, language: Language, names: Names) -> str:
    mark = mark_of(told.incident.status, language)
    if _is_single(told):
        return mark + head_of(told.worst[0], language, names)
    return mark + _head(told, language, names)


def _line(
    told: ToldIncident, language: Language, names: Names, is_expired: Callable[[Event], bool]
) -> str:
    if _is_single(told):
        return line_of(told.worst[0], is_expired(told.worst[0]), language, names)
    incident, zh = told.incident, language is Language.ZH
    parts = [mark_of(incident.status, language) + _head(told, language, names)]
    parts.append(_counts(incident, language))
    since = iso(incident.began)[:16].replace("T", " ")
    parts.append(f"{since} 起" if zh else f"since {since}")
    origins = sorted({str(event.content["origin"]) for event in told.worst})
    if origins:
        words = "、".join(ORIGIN.get(origin, origin) for origin in origins)
        parts.append(f"来源：{words}" if zh else f"origin: {', '.join(origins)}")
    return ("；" if zh else "; ").join(parts)


def _is_single(told: ToldIncident) -> bool:
    """An incident of one alert that goes on is told as that alert."""
    return told.incident.alerts == 1 and len(told.worst) == 1 and told.word is not Word.OVER


def _head(told: ToldIncident, language: Language, names: Names) -> str:
    incident = told.incident
    number = 0 if language is Language.ZH else 1
    domain = names.domains.get(incident.domain, (incident.domain,) * 2)[number]
    area = names.areas.get(incident.area, (incident.area,) * 2)[number]
    word = WORDS[told.word][number]
    colour = COLOURS[Severity(incident.weight)]
    if language is Language.ZH:
        grade = "解除" if told.word is Word.OVER else f"{colour[1]}色"
        return f"{grade} {domain} {area}：{word}，预警 {incident.alerts} 条"
    grade = "ended" if told.word is Word.OVER else colour[0]
    return f"{grade} {domain} {area}: {word}, {incident.alerts} alerts"


def _counts(incident: IncidentNow, language: Language) -> str:
    ranks = [(rank, count) for rank, count in enumerate(incident.by_severity) if count][::-1]
    peak = COLOURS[Severity(incident.peak)]
    if language is Language.ZH:
        found = "、".join(f"{COLOURS[Severity(rank)][1]} {count}" for rank, count in ranks)
        open_ = f"未解除 {incident.open}" + (f"（{found}）" if found else "")
        hidden = f"；隐去 {incident.hidden}" if incident.hidden else ""
        return f"{open_}{hidden}；已结束 {incident.ended}；最高 {peak[1]}"
    found = ", ".join(f"{count} {COLOURS[Severity(rank)][0]}" for rank, count in ranks)
    open_ = f"{incident.open} open" + (f" ({found})" if found else "")
    hidden = f"; {incident.hidden} hidden" if incident.hidden else ""
    return f"{open_}{hidden}; {incident.ended} ended; worst {peak[0]}"
