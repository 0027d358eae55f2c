"""What stored values are called, Chinese first: (value, text, colour), as fields take them."""

from __future__ import annotations

from collections.abc import Mapping

from streams.contracts.reason import Change, Reason
from streams.region import gateway

Words = tuple[tuple[str, str, str], ...]
GREEN, AMBER, RED = "#4cc38a", "#f5872b", "#e5373e"


def _words(names: Mapping[str, str]) -> Words:
    return tuple((value, f"{zh} {value}", "") for value, zh in names.items())


YES_NO: Words = (("true", "是 yes", AMBER), ("false", "否 no", ""))
BAD: Words = (("true", "是 yes", RED), ("false", "否 no", ""))
PLAIN: Words = (("true", "是 yes", ""), ("false", "否 no", ""))
STATES = _words({"pending": "待确认", "firing": "生效", "resolved": "解除"})
CHANGES = _words(
    {
        Change.ONSET: "出现", Change.CONFIRMED: "确认", Change.RAISED: "升级",
        Change.LOWERED: "降级", Change.STALE: "中断", Change.FRESH: "恢复上报",
        Change.CLEARED: "解除", Change.NOT_CONFIRMED: "未确认", Change.WITHDRAWN: "撤回",
        Change.CLOSED: "人工关闭", Change.RETIRED: "停用", Change.HIDDEN: "隐去",
        Change.SHOWN: "重现",
    }
)  # fmt: skip
LEVELS = _words({"province": "省", "city": "市", "county": "县"})
CAUSES = _words({"closed": "到期", "revised": "修订", "late": "迟到", "registry": "名册"})
TICKETS = _words(
    {
        "range": "超量程", "spike": "尖峰", "flat_line": "恒值", "jump": "突升",
        "frozen": "数据冻结", "balance": "账目不符", "silent": "静默", "neighbour": "邻站不一致",
        "drift": "漂移", "unit": "单位错误",
    }
)  # fmt: skip
REASONS = _words(
    {
        Reason.MALFORMED: "无法解析", Reason.OVERSIZED: "过大", Reason.BAD_HEADERS: "报头错误",
        Reason.UNKNOWN_TYPE: "类型未知", Reason.UNKNOWN_VERSION: "版本未知",
        Reason.UNKNOWN_ENCODING: "编码未知", Reason.WRONG_SHAPE: "列不一致",
        Reason.WRONG_TYPE: "数据类型错误", Reason.UNKNOWN_AREA: "区域未知",
        Reason.UNKNOWN_DOMAIN: "领域未知", Reason.UNKNOWN_SENSOR: "传感器未知",
        Reason.UNKNOWN_PROPERTY: "属性未知", Reason.UNKNOWN_UNIT: "单位未知",
        Reason.FOREIGN_AREA: "区域不符", Reason.FOREIGN_POINT: "点位不符",
        Reason.ORIGIN_REFUSED: "来源性质不符", Reason.OVER_QUOTA: "超配额",
        Reason.NOT_FINITE: "非有限值", Reason.OUT_OF_BOUNDS: "超出可存范围",
        Reason.BAD_TIME: "时间错误", Reason.FUTURE_EVENT: "事件时间超前",
        Reason.FUTURE_INGEST: "接收时间超前", Reason.UNUSABLE_VERSION: "配置版本不可用",
        Reason.POISON: "使处理失败", Reason.INVALID_WARNING: "预警信息不合规",
        Reason.UNSAFE_XML: "不安全的XML",
    }
)  # fmt: skip
REGION = ("region", "跨县 region", "")  # in the place of a domain: what the region found
GATEWAY_SILENT = (gateway.RULE, "网关静默 gateway silent", "")
GATEWAYS: Words = (
    ("online", "在线 online", GREEN),
    ("degraded", "降级 degraded", AMBER),
    ("offline", "离线 offline", RED),
)
STATUSES = _words({"Actual": "实际", "Exercise": "演练", "Test": "测试"})
CLOSURES: Words = (
    ("advised", "建议封闭 advised", AMBER),
    ("ordered", "已下令 ordered", RED),
    ("confirmed", "已封闭 confirmed", RED),
    ("reopened", "已恢复 reopened", GREEN),
    ("withdrawn", "已撤回 withdrawn", ""),
)
HAZARDS = _words({"open": "持续", "over": "结束", "stale": "中断"})
WOULD = _words({"earlier": "更早", "higher": "更高", "longer": "更久", "raised": "本会报警"})
SILENT = _words({"alert": "中断的预警", "ticket": "静默的传感器", "gateway": "网关"})
ANSWERS: Words = (
    ("open", "未处置 open", AMBER),
    ("acknowledged", "已确认 acknowledged", GREEN),
)
