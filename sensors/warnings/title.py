"""The title of a Chinese warning: who says it, about which region, which type, which colour.

`<issuer>[、|和<issuer>]发布|解除<type><colour>色预警[信号]` (domain.md §5.4; warnings-cn).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sensors.warnings.types import COLOURS
from streams.contracts.reason import Reason, Severity
from streams.errors import InvalidEvent

PROVINCES = (
    *("北京市", "天津市", "上海市", "重庆市", "河北省", "山西省", "辽宁省", "吉林省", "黑龙江省"),
    *("江苏省", "浙江省", "安徽省", "福建省", "江西省", "山东省", "河南省", "湖北省", "湖南省"),
    *("广东省", "海南省", "四川省", "贵州省", "云南省", "陕西省", "甘肃省", "青海省", "台湾省"),
    *("内蒙古自治区", "广西壮族自治区", "西藏自治区", "宁夏回族自治区", "新疆维吾尔自治区"),
    *("香港特别行政区", "澳门特别行政区"),
)
MUNICIPALITIES = PROVINCES[:4]
NATIONAL = ("中央", "国家", "中国")
_TITLE = re.compile(
    r"(?P<issuers>[^\s].{1,80}?)(?P<verb>联合发布|继续发布|更新发布|变更发布|发布|联合解除|解除|取消)"
    r"(?P<event>\S{1,30}?)(?P<colour>[红橙黄蓝])色预警(?:信号)?\s*(?P<more>[\[【(（].{1,20})?"
)
_OFFICE = (
    r"(?:气象(?:台|局|服务中心)|水利(?:厅|局)|水务(?:厅|局)|水文(?:局|中心)|自然资源(?:和规划)?(?:厅|局)"
    r"|规划和自然资源(?:厅|局|委员会)|应急管理(?:厅|局)|生态环境(?:厅|局)|林业(?:和草原)?(?:厅|局)"
    r"|(?:自然资源|水利|应急管理|生态环境|交通运输)部"
    r"|交通运输(?:厅|局)|农业农村(?:厅|局)|海洋(?:预报台|局)|[防汛抗旱台]{2,6}指挥部(?:办公室)?)"
)
_ISSUER = re.compile(rf"(?P<region>.*?)(?P<office>{_OFFICE})")
_JOINT = re.compile(rf"(?<=[厅局台部室心会])[、和与](?=.{{0,40}}?{_OFFICE})")
_CITY = re.compile(r"(?P<city>.{1,12}?(?:市|自治州|地区|盟))(?P<county>.*)")


@dataclass(frozen=True, slots=True)
class Region:
    """A path of names; what is not stated is empty."""

    province: str = ""
    city: str = ""
    county: str = ""

    @property
    def above_county(self) -> str:
        """A county rolled up: its city; in a municipality that itself."""
        return self.city or self.province

    def __str__(self) -> str:
        return f"{self.province}{self.city}{self.county}"


@dataclass(frozen=True, slots=True)
class Title:
    """What a title says. `ends`: it lifts the warning."""

    issuers: tuple[str, ...]
    region: Region
    event: str
    severity: Severity
    ends: bool


def parse_title(text: str) -> Title:
    """What the title says; `InvalidEvent` when it is not of the form."""
    found = _TITLE.fullmatch(text.strip())
    if found is None:
        raise InvalidEvent(
            Reason.INVALID_WARNING,
            f"rule title: {text[:80]!r} is not <issuer>发布<type><colour>色预警",
        )
    issuers = tuple(_JOINT.split(found["issuers"]))
    return Title(
        issuers,
        _region(issuers[0]),
        found["event"],
        COLOURS[found["colour"]],
        found["verb"].endswith(("解除", "取消")),
    )


def _region(issuer: str) -> Region:
    """The region that an office is of. The office's name follows it, without a mark between."""
    office = _ISSUER.fullmatch(issuer)
    if office is None:
        raise InvalidEvent(
            Reason.INVALID_WARNING, f"rule issuer: {issuer[:60]!r} is no office that is known"
        )
    return split_region(office["region"])


def split_region(path: str) -> Region:
    """湖南省株洲市醴陵市 → province, city, county. A municipality has counties and no city;
    an office of the whole country has no region."""
    if path in NATIONAL:
        return Region()
    province = next((one for one in PROVINCES if path.startswith(one)), "")
    rest = path.removeprefix(province)
    if province in MUNICIPALITIES:
        return Region(province, "", rest)
    found = _CITY.fullmatch(rest)
    if found is None:
        return Region(province, "", rest)
    return Region(province, found["city"], found["county"])
