"""What a message says to people, in Chinese and in English, from what was measured."""

from __future__ import annotations

from dataclasses import dataclass

from api.cap.chain import Told, cap_time
from streams.contracts.cap.model import MsgType, ResponseType, Status
from streams.contracts.closing import Ending
from streams.contracts.reason import Change, Severity

COLOURS_ZH = {
    Severity.BLUE: "蓝色",
    Severity.YELLOW: "黄色",
    Severity.ORANGE: "橙色",
    Severity.RED: "红色",
}
INSTRUCTIONS = {
    ResponseType.AVOID: ("请绕行，不要进入该区域。", "Avoid the area; take another way."),
    ResponseType.EVACUATE: (
        "请立即撤离该区域，服从现场指挥。",
        "Leave the area at once; follow the instructions on site.",
    ),
    ResponseType.SHELTER: ("请留在室内，减少外出。", "Stay indoors."),
    ResponseType.PREPARE: ("请做好防范准备，关注后续信息。", "Prepare; follow further messages."),
    ResponseType.EXECUTE: ("请按预案处置。", "Act by the plan for this case."),
    ResponseType.MONITOR: ("请关注后续信息。", "Follow further messages."),
    ResponseType.ALL_CLEAR: ("险情已解除。", "The danger is over."),
    ResponseType.NONE: ("无需采取行动。", "No action is needed."),
}
NOT_REAL = {Status.EXERCISE: ("【演练】", "[EXERCISE] "), Status.TEST: ("【测试】", "[TEST] ")}
NOTES = {
    Status.EXERCISE: "演练，非真实警情。Exercise: this is no real alert.",
    Status.TEST: "测试，非真实警情。Test: this is no real alert.",
}
ENDINGS: dict[str, tuple[str, str]] = {
    Change.WITHDRAWN: (
        "撤回：监测设备数据有误，不表示险情曾经存在或已经结束。",
        "Withdrawn: the sensor was wrong; this says nothing about a danger.",
    ),
    Ending.FALSE_ALARM: (
        "撤回：经人工核实为误报，并无险情。",
        "Withdrawn: people found it to be a false alarm; there was no danger.",
    ),
    Ending.CLOSED_BY_HAND: (
        "人工关闭：值守人员确认险情已结束，并非实测解除。",
        "Closed by hand: people on duty say that the danger is over; it was not measured.",
    ),
    Change.RETIRED: (
        "撤回：监测点或规则已停用，不表示险情已经结束。",
        "Withdrawn: the point or the rule left service; this does not say that a danger is over.",
    ),
}
UNENDED = (
    "已停止，不表示险情已经结束。",
    "Closed; this does not say that a danger is over.",
)


@dataclass(frozen=True, slots=True)
class Names:
    """What the event and the rule are called in one language."""

    event: str
    rule: str


def place_zh(told: Told) -> str:
    """Names are the registry's: only what XML can carry of them."""
    return _printable(f"{told.row.area_name or told.row.area}{told.row.point_name or ''}")


def place_en(told: Told) -> str:
    """The same with the English name of the area."""
    area = told.row.area_name_en or told.row.area
    return _printable(f"{told.row.point_name}, {area}" if told.row.point_name else area)


def headline_zh(told: Told, names: Names, status: Status) -> str:
    mark = NOT_REAL.get(status, ("", ""))[0]
    what = f"{names.event}{COLOURS_ZH[told.severity]}告警"
    verb = "解除" if told.msg_type is MsgType.CANCEL else ""
    return f"{mark}{place_zh(told)}{verb}{what}"


def headline_en(told: Told, names: Names, status: Status) -> str:
    mark = NOT_REAL.get(status, ("", ""))[1]
    colour = told.severity.name.lower()
    what = f"{names.event} alert ({colour}): {place_en(told)}"
    verb = "ended: " if told.msg_type is MsgType.CANCEL else ""
    return f"{mark}{verb}{what}"


def description_zh(told: Told, names: Names) -> str:
    row = told.row
    parts = [f"{place_zh(told)}，{names.rule}"]
    if row.value is not None:
        parts.append(f"实测 {row.value} {row.unit}".rstrip())
    if row.threshold is not None:
        parts.append(f"阈值 {row.threshold} {row.unit}".rstrip())
    parts.append(f"时间 {cap_time(row.event_time)}")
    text = "，".join(parts) + "。"
    if row.unverified:
        text += "数值异常上升，尚未核实。"
    if row.stale:
        text += "监测设备已无数据，现状未知。"
    if told.renewal:
        text += f"截至 {told.sent} 尚未解除。"
    return text + _ending(told)[0]


def description_en(told: Told, names: Names) -> str:
    row = told.row
    parts = [f"{names.rule} at {place_en(told)}"]
    if row.value is not None:
        parts.append(f"measured {row.value} {row.unit}".rstrip())
    if row.threshold is not None:
        parts.append(f"threshold {row.threshold} {row.unit}".rstrip())
    parts.append(f"at {cap_time(row.event_time)}")
    text = ", ".join(parts) + "."
    if row.unverified:
        text += " An implausible rise, not verified."
    if row.stale:
        text += " The sensor has fallen silent: what holds now is unknown."
    if told.renewal:
        text += f" Still open at {told.sent}."
    ending = _ending(told)[1]
    return f"{text} {ending}".rstrip()


def note(told: Told, status: Status) -> str | None:
    """Why a message is no real one, and why an alert was taken back."""
    texts = [NOTES[status]] if status in NOTES else []
    texts += filter(None, _ending(told))
    return " ".join(texts) or None


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


def _ending(told: Told) -> tuple[str, str]:
    if told.msg_type is not MsgType.CANCEL or told.row.change == Change.CLEARED:
        return "", ""
    return ENDINGS.get(told.row.closed_as or told.row.change, UNENDED)
