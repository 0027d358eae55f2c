"""How this city writes CAP: house numbers `cap.*` of the profile (domain.md §5.3, §10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from streams.contracts.cap.model import CapSeverity, Category, ResponseType, Status, Urgency
from streams.contracts.cap.sense import FORBIDDEN
from streams.contracts.domain import Parameter
from streams.contracts.reason import Severity

E = TypeVar("E", bound=StrEnum)
_HOUSE = "本平台约定"
_COLOURS = {s.name.lower(): s for s in Severity if s is not Severity.NONE}

SENDER = Parameter("cap.sender", "citybrain@localhost", "", "H", _HOUSE + ": unique in the world")
NAME_ZH = Parameter("cap.sender_name_zh", "城市大脑", "", "H", _HOUSE)
NAME_EN = Parameter("cap.sender_name_en", "citybrain", "", "H", _HOUSE)
WEB = Parameter("cap.web", "http://127.0.0.1:8600/", "", "H", _HOUSE + ": where people read more")
STATUSES = Parameter("cap.public_statuses", "Actual", "", "H", "domain.md §5.3")
SEVERITIES = Parameter(
    "cap.severity_by_colour",
    "red=Extreme, orange=Severe, yellow=Moderate, blue=Minor",
    "",
    "H",
    "domain.md §5.3",
)
URGENCIES = Parameter(
    "cap.urgency_by_colour",
    "red=Immediate, orange=Immediate, yellow=Expected, blue=Future",
    "",
    "H",
    _HOUSE,
)
DOMAINS = Parameter(
    "cap.domain_map",
    "waterlogging: Infra+Met / 城市内涝 / urban waterlogging / Avoid, red=Evacuate; "
    "air: Env+Health / 空气污染 / air pollution / Monitor, orange=Shelter, red=Shelter; "
    "traffic: Transport / 交通拥堵 / traffic congestion / Avoid; "
    "shelter: Safety / 避灾安置场所 / shelters / Execute; "
    "weather: Met / / / Monitor, orange=Prepare, red=Shelter",
    "",
    "H",
    "domain.md §5.3: categories / 事件 / event (empty: the rule's title) / responses",
)
RADIUS = Parameter("cap.point_radius_m", "300", "m", "H", _HOUSE + ": circle around a point")
PAIRS = Parameter("cap.polygon_pairs", "120", "pairs", "H", _HOUSE + ": most of one polygon")
RENEW = Parameter(
    "cap.renew_before_s",
    "300",
    "s",
    "H",
    _HOUSE + ": an open one is told again before it expires",
)
PARAMETERS = (
    SENDER,
    NAME_ZH,
    NAME_EN,
    WEB,
    STATUSES,
    SEVERITIES,
    URGENCIES,
    DOMAINS,
    RADIUS,
    PAIRS,
    RENEW,
)


@dataclass(frozen=True, slots=True)
class Hazard:
    """What messages of one domain say. Empty events: the title of the rule."""

    categories: tuple[Category, ...] = (Category.OTHER,)
    event_zh: str = ""
    event_en: str = ""
    response: ResponseType = ResponseType.MONITOR
    responses: Mapping[Severity, ResponseType] | None = None

    def response_at(self, severity: Severity) -> ResponseType:
        """What people are asked to do."""
        return (self.responses or {}).get(severity, self.response)


@dataclass(frozen=True, slots=True)
class House:
    """The numbers in force, read."""

    sender: str
    name_zh: str
    name_en: str
    web: str
    public: frozenset[Status]
    severities: Mapping[Severity, CapSeverity]
    urgencies: Mapping[Severity, Urgency]
    hazards: Mapping[str, Hazard]
    radius_m: int
    pairs: int
    renew_before_s: int


def read_house(values: Mapping[str, str]) -> House:
    """The numbers of a profile; `ValueError` when one cannot be used (see `house_mistakes`)."""
    told = {p.key: values.get(p.key, p.default) for p in PARAMETERS}
    return House(
        sender=_sender(told[SENDER.key]),
        name_zh=told[NAME_ZH.key],
        name_en=told[NAME_EN.key],
        web=told[WEB.key],
        public=frozenset(_word(Status, word) for word in told[STATUSES.key].split(",")),
        severities=_by_colour(CapSeverity, told[SEVERITIES.key]),
        urgencies=_by_colour(Urgency, told[URGENCIES.key]),
        hazards=_hazards(told[DOMAINS.key]),
        radius_m=_whole(told[RADIUS.key], 1, 100_000),
        pairs=_whole(told[PAIRS.key], 4, 10_000),
        renew_before_s=_whole(told[RENEW.key], 1, 86_400),
    )


def house_mistakes(values: Mapping[str, str]) -> list[str]:
    """What in a profile cannot be used."""
    usual = {p.key: p.default for p in PARAMETERS}
    found = []
    for parameter in PARAMETERS:
        try:
            read_house(usual | {k: v for k, v in values.items() if k == parameter.key})
        except ValueError as error:
            found.append(f"{parameter.key}: {error}")
    return found


def _sender(text: str) -> str:
    if not text or FORBIDDEN.search(text):
        raise ValueError(f"{text!r} is empty or holds a space, a comma, < or &")
    return text


def _whole(text: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text[:9]) <= most:
        raise ValueError(f"{text!r} is not a whole number from {least} to {most}")
    return int(text)


def _word(kind: type[E], text: str) -> E:
    try:
        return kind(text.strip())
    except ValueError as error:
        raise ValueError(
            f"{text.strip()!r} is none of {', '.join(one.value for one in kind)}"
        ) from error


def _by_colour(kind: type[E], text: str) -> dict[Severity, E]:
    found = _colours(text, lambda word: _word(kind, word))
    if missing := [name for name, s in _COLOURS.items() if s not in found]:
        raise ValueError(f"says nothing of {', '.join(missing)}")
    return found


def _colours(text: str, read: Callable[[str], E]) -> dict[Severity, E]:
    found: dict[Severity, E] = {}
    for part in text.split(","):
        colour, _, word = (piece.strip() for piece in part.partition("="))
        if colour not in _COLOURS:
            raise ValueError(f"{colour!r} is none of {', '.join(_COLOURS)}")
        found[_COLOURS[colour]] = read(word)
    return found


def _hazards(text: str) -> dict[str, Hazard]:
    found = {}
    for entry in filter(str.strip, text.split(";")):
        domain, _, rest = entry.partition(":")
        fields = [field.strip() for field in rest.split("/")]
        if len(fields) != 4:
            raise ValueError(f"{domain.strip()!r} has {len(fields)} fields, 4 are wanted")
        usual, _, by_colour = fields[3].partition(",")
        found[domain.strip()] = Hazard(
            tuple(_word(Category, word) for word in fields[0].split("+")),
            fields[1],
            fields[2],
            _word(ResponseType, usual),
            _colours(by_colour, lambda word: _word(ResponseType, word)) if by_colour else None,
        )
    return found
