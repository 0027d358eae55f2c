"""Topics of devices: `<root>/<area>/<domain>/<device>/<kind>` (domain.md §7, house convention).

`device` is the id of a gateway or the name of a sensor, percent-encoded where it holds `/`, `+`,
`#` or `%`. The broker's access rules say who may publish where; the topic in turn binds the
readings: they must be of that area, that domain and that device.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

from streams.contracts.area_code import is_area_code
from streams.contracts.cloudevents import text_problem
from streams.contracts.reason import Reason
from streams.errors import InvalidEvent

_DOMAIN = re.compile(r"[a-z][a-z0-9_]*")


class Kind(StrEnum):
    """The last level. Events are read like observations; only a status may be retained."""

    OBSERVATION = "observation"
    EVENT = "event"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class DeviceTopic:
    """Where a device publishes."""

    area: str
    domain: str
    device: str
    kind: Kind

    def write(self, root: str) -> str:
        """The topic's text."""
        return f"{root}/{self.area}/{self.domain}/{quote(self.device, safe='')}/{self.kind}"


def read_topic(root: str, topic: str) -> DeviceTopic:
    """The parts of a topic. Raises `InvalidEvent` for one that is none of ours."""
    levels = topic.removeprefix(f"{root}/").split("/")
    if not topic.startswith(f"{root}/") or len(levels) != 4:
        raise _bad(topic, f"a topic is {root}/<area>/<domain>/<device>/<kind>")
    area, domain, device, kind = levels
    if not is_area_code(area):
        raise _bad(topic, f"{area[:20]!r} is no six-digit area code")
    if not _DOMAIN.fullmatch(domain):
        raise _bad(topic, f"{domain[:40]!r} is no name of a domain")
    try:
        found, name = Kind(kind), unquote(device, errors="strict")
    except ValueError as error:
        raise _bad(topic, f"its last levels cannot be read: {error}") from error
    problem = text_problem("id", name)
    if problem:
        raise _bad(topic, problem.replace("attribute id", "the device's name"))
    return DeviceTopic(area, domain, name, found)


def subscriptions(root: str, share: str = "") -> tuple[str, ...]:
    """The filters that cover every topic of a device."""
    group = f"$share/{share}/" if share else ""
    return tuple(f"{group}{root}/+/+/+/{kind}" for kind in Kind)


def _bad(topic: str, detail: str) -> InvalidEvent:
    return InvalidEvent(Reason.BAD_HEADERS, f"topic {topic[:80]!r}: {detail}")
