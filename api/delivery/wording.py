"""What people read: alerts in Chinese and English, as a subject and lines of text. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.colour import COLOURS
from api.delivery.event import Event
from api.delivery.subscription import Language
from api.moment import from_ms, iso
from streams.alerting.title import RuleTitles
from streams.contracts.reason import Severity

MOST_LINES = 30  # a screen

STATUS = {
    Language.ZH: {"Exercise": "【演练】", "Test": "【测试】"},
    Language.EN: {"Exercise": "[EXERCISE] ", "Test": "[TEST] "},
}
ORIGIN = {"live": "实时监测", "simulated": "仿真", "replayed": "历史回放", "drill": "演练"}
CHANGE_ZH = {
    "onset": "出现",
    "confirmed": "已确认",
    "raised": "升级",
    "lowered": "降级",
    "stale": "数据中断",
    "fresh": "数据恢复",
    "cleared": "实测解除",
    "not_confirmed": "未确认，撤下",
    "withdrawn": "撤销（传感器异常）",
    "retired": "停用",
    "closed": "人工关闭",
    "hidden": "不再单独列出",
    "shown": "重新列出",
}
CLOSED = {
    Language.ZH: {"false_alarm": "误报", "closed_by_hand": "险情已结束"},
    Language.EN: {"false_alarm": "false alarm", "closed_by_hand": "over"},
}


@dataclass(frozen=True)
class Names:
    """What codes are called: (Chinese, English)."""

    areas: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    points: Mapping[str, str] = field(default_factory=dict)
    rules: RuleTitles = field(default_factory=lambda: RuleTitles({}))
    domains: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to people: so many lines as a screen shows, and the severities of all alerts."""

    subject: str
    lines: tuple[str, ...]
    severities: tuple[int, ...] = ()  # in the order of the lines; −1: belongs to the one above

    def text(self, most_bytes: int, language: Language) -> str:
        """As many lines as fit; a last one counts the others by severity."""
        for count in range(len(self.lines), 0, -1):
            rest = [severity for severity in self.severities[count:] if severity >= 0]
            text = "\n".join([*self.lines[:count], *([_rest(rest, language)] if rest else [])])
            if len(text.encode()) <= most_bytes:
                return text
        return self.lines[0].encode()[:most_bytes].decode(errors="ignore")


def letter(events: Sequence[tuple[Event, bool]], language: Language, names: Names) -> Letter:
    """Alerts in one message, the worst first; each with whether it has expired.

    The status stands in front of the subject and of every line, the origin in every line: nobody
    takes an exercise for the real thing.
    """
    worst_first = sorted(events, key=lambda e: (-int(e[0].content["severity"]), e[0].sequence))
    first = worst_first[0][0]
    subject = mark_of(first.status, language) + head_of(first, language, names)
    if len(events) > 1:
        more = len(events) - 1
        subject += f" 等 {len(events)} 条" if language is Language.ZH else f" and {more} more"
    shown = worst_first[:MOST_LINES]
    return Letter(
        subject,
        tuple(line_of(event, expired, language, names) for event, expired in shown),
        tuple(int(event.content["severity"]) for event, _ in worst_first),
    )


def test_letter(name: str, language: Language) -> Letter:
    """What the test button sends."""
    if language is Language.ZH:
        return Letter(f"【测试】citybrain 订阅“{name}”", ("【测试】这是一条测试消息，无需处置。",))
    return Letter(f'[TEST] citybrain subscription "{name}"', ("[TEST] Nothing has to be done.",))


def line_of(event: Event, expired: bool, language: Language, names: Names) -> str:
    """One alert on a line."""
    content = event.content
    at = iso(from_ms(content["event_ms"]))[:16].replace("T", " ")
    parts = [f"{mark_of(event.status, language)}{head_of(event, language, names)}"]
    if language is Language.ZH:
        parts.append(CHANGE_ZH.get(content["change"], content["change"]))
        parts += _closed(content, language)
        parts += _value(content, "实测", "阈值")
        parts += ["未经核实"] if content["unverified"] else []
        parts += ["数据中断"] if content["stale"] and content["change"] != "stale" else []
        parts += ["已过有效期，请先核实"] if expired else []
        parts += [at, f"来源：{ORIGIN.get(content['origin'], content['origin'])}"]
        return "；".join(parts)
    by_hand = " by hand" if content["change"] == "closed" else ""
    parts.append(str(content["change"]).replace("_", " ") + by_hand)
    parts += _closed(content, language)
    parts += _value(content, "measured", "threshold")
    parts += [word for word in ("unverified", "stale") if content[word]]
    parts += ["expired: verify before acting"] if expired else []
    parts += [at, f"origin: {content['origin']}"]
    return "; ".join(parts)


def head_of(event: Event, language: Language, names: Names) -> str:
    """What it is and where, in front of the line and as a subject."""
    content = event.content
    zh = language is Language.ZH
    severity = Severity(content["severity"])
    rule = names.rules.of(content["rule"], content["rule_version"])
    area = names.areas.get(event.area, (event.area, event.area))
    point = names.points.get(content["point"] or "", content["subject"])
    place = "" if point.startswith("area:") else point
    if zh:
        grade = "解除" if content["state"] == "resolved" else f"{COLOURS[severity][1]}色"
        return " ".join(filter(None, (grade, rule.zh, area[0], place)))
    grade = "ended" if content["state"] == "resolved" else COLOURS[severity][0]
    return " ".join(filter(None, (grade, rule.en, area[1], place)))


def _closed(content: Mapping[str, Any], language: Language) -> list[str]:
    """How and why people closed it."""
    if content["change"] != "closed":
        return []
    said = content["evidence"]
    return [part for part in (CLOSED[language].get(said["as"], said["as"]), said["reason"]) if part]


def _value(content: Mapping[str, Any], value: str, threshold: str) -> list[str]:
    unit = content["unit"]
    found = [f"{value} {content['value']} {unit}"] if content["value"] is not None else []
    return found + (
        [f"{threshold} {content['threshold']} {unit}"] if content["threshold"] is not None else []
    )


def mark_of(status: str, language: Language) -> str:
    """What stands in front of everything that is not real."""
    return STATUS[language].get(status, "")


def _rest(severities: Sequence[int], language: Language) -> str:
    counts = sorted(Counter(severities).items(), reverse=True)
    if language is Language.ZH:
        told = "、".join(f"{COLOURS[Severity(rank)][1]} {count}" for rank, count in counts)
        return f"……另有 {len(severities)} 条：{told}"
    told = ", ".join(f"{count} {COLOURS[Severity(rank)][0]}" for rank, count in counts)
    return f"… and {len(severities)} more: {told}"
