"""Official warnings made by hand."""

from __future__ import annotations

from typing import Any

from streams.contracts.cap.model import Status
from streams.contracts.reason import Severity
from streams.contracts.warning import Form, Kind, Named, OfficialWarning

SENDER = "met@zj.gov.cn"


def warning(identifier: str, sent_ms: int, **given: Any) -> OfficialWarning:
    """A red rainstorm warning of the province, unless told otherwise; `refers`: identifiers."""
    refers = given.pop("refers", ())
    usual: dict[str, Any] = {
        "kind": Kind.ALERT,
        "status": Status.ACTUAL,
        "form": Form.CAP,
        "issuers": ("浙江省气象台",),
        "event": "暴雨",
        "type": "暴雨",
        "severity": Severity.RED,
        "areas": ("330000",),
        "area_text": "浙江省",
        "headline": "浙江省气象台发布暴雨红色预警",
        "description": "",
        "language": "zh-CN",
        "media_type": "application/cap+xml",
        "original": b"<alert/>",
        "references": tuple(Named(SENDER, one) for one in refers),
    }
    return OfficialWarning(SENDER, identifier, sent_ms, **usual | given)
