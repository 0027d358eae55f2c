# ruff: noqa: E501 (a row of the table is a line)
"""表1 of 《浙江省新型城镇化发展“十四五”规划》, its 26 rows copied exactly (domain.md §8, Plan).

Only rows 13, 15 and 19 can be computed from the streams; the rest are reported figures. The last
three columns are ours: the operator for 2025 (`?` = the Plan prints a bare number, read as ≥ for ↑
and ≤ for ↓, H), the digits the Plan prints, and a note.
"""

from __future__ import annotations

from collections.abc import Mapping

from streams.indicators.definition import (
    Cumulation,
    Direction,
    Kind,
    Operator,
    PlanRow,
)
from streams.indicators.parse import parse_cell

COMPUTED: Mapping[int, str] = {13: "state", 15: "year", 19: "state"}
"""Rows that the streams compute, with the period whose figure is shown first."""

# number|指标|单位|2020年预计值|2021年目标值|2025年目标值|属性|责任单位|dir|cum|feed|op|digits|note
_TABLE = """
1|高速公路10万人以上城镇通达率|%|78|80|90|预|省交通运输厅|↑|–|R|≥?|0|
2|轨道交通网络规模|公里|600|800|1300|预|省发展改革委|↑|L|R|≥?|0|
3|四大都市区核心区经济总量占全省比重|%|72.5|73|75|预|省发展改革委|↑|–|R|≥?|1|text: 超75%
4|单位地区生产总值建设用地使用面积下降率|%|待补充|待补充|待补充|预|省自然资源厅|↑|?|R|none|0|目标待补充: 无目标
5|常住人口城镇化率|%|71|72|75左右|预|省发展改革委|↑|–|R|≈|0|text: 达75%
6|义务教育段学生在城镇学校就读比例|%|88.5|89|91|预|省教育厅|↑|–|R|≥?|1|
7|跨省异地就医定点医疗机构开通率|%|20|25|50|预|省医保局|↑|–|R|≥?|0|
8|城镇住房保障受益覆盖率|%|23.9|24|25|约|省建设厅|↑|–|R|≥?|1|
9|城镇人均居住面积|平方米/人|48.5|48.6|49|预|省建设厅|↑|–|R|≥?|1|
10|城镇老旧小区改造|个|600|800|[3000]*|预|省建设厅|↑|5|R|≥?|0|2020 and 2021 are annual counts; 2020 is outside the sum
11|城市公园绿地服务半径覆盖率|%|86|86.5|90|预|省建设厅|↑|–|R|≥?|1|
12|生活垃圾高标准分类示范小区（累计个数）|个|1599|2099|3000|预|省建设厅|↑|L|R|≥?|0|
13|城市现存易涝点消除率|%|20|40|100|预|省建设厅|↑|–|W+R|≥?|0|sign-off (销号) decides, the stream gives evidence; at most 100
14|达到海绵城市建设目标要求的建成区面积比例|%|设区城市≥25，其他县城建成区≥20|--|设区城市≥55，其他县城建成区≥25|预|省建设厅|↑|–|R|≥|0|two classes, the worse counts
15|地级及以上城市空气质量优良天数比率|%|93.3|--|≥93|约|省生态环境厅|≈/↑|–|A|≥|1|the target is below the 2020 value: attained or not, no progress
16|“千吨万人”饮用水水源地水质达标率|%|93|--|≥95|预|省生态环境厅|↑|–|R|≥|0|
17|突发环境事件次数|次|“十三五”累计60|--|“十四五”累计≤57|预|省生态环境厅|↓|5|R|≤|0|the stream raises candidates, an official confirms
18|亿元GDP生产安全事故死亡率|人/亿元|0.016|0.015|0.01|约|省应急管理厅|↓|–|R|≤?|3|deaths ÷ GDP in 亿元
19|标准化避灾安置场所（累计个数）|个|--|1500|7500|预|省应急管理厅|↑|L|Sh+R|≥?|0|cumulative accepted, less de-registered
20|“掌上办事”政务服务事项覆盖率|%|85|86|>90|约|省大数据局|↑|–|R|>|0|strict: 90.0 is not attained
21|掌上办公比例|%|--|--|80|约|省大数据局|↑|–|R|≥?|0|
22|“互联网+监管”平台承载的监管事项比例|%|--|--|95|约|省大数据局|↑|–|R|≥?|0|
23|城乡居民人均可支配收入比|ratio|1.96：1|1.95:1|1.90:1|预|省发展改革委|↓|–|R|≤?|2|urban ÷ rural disposable income per head
24|城乡义务教育共同体结对学校|所|2000|3500|公办学校全覆盖|约|省教育厅|↑|L|R|none|0|needs the count of 公办学校
25|*健康浙江发展指数|index|--|80|85|预|省卫生健康委|↑|–|R|≥?|0|
26|*城乡居民养老保险保障水平|%|—|—|—|||↑|–|R|none|0|cut off in the text, name and unit only: 无目标
"""

# First row of each block of the table.
_BLOCKS = (
    (1, "更加协调、更有效率的城镇化格局"),
    (5, "更高质量、更广覆盖的人口市民化"),
    (9, "更加宜居、更具韧性的现代城市"),
    (23, "更为和谐、更趋共享的城乡融合发展道路"),
)
_KINDS = {"约": Kind.BINDING, "预": Kind.EXPECTED, "": None}


def _read_row(line: str) -> PlanRow:
    number, name, unit, base, early, target, kind, department, *rest = line.split("|")
    direction, cumulation, feed, operator, digits, note = rest
    return PlanRow(
        number=int(number),
        name=name,
        unit=unit,
        base=parse_cell(base),
        early=parse_cell(early),
        target=parse_cell(target),
        kind=_KINDS[kind],
        department=department or None,
        direction=Direction(direction),
        operator=Operator(operator.removesuffix("?")),
        operator_stated=not operator.endswith("?"),
        cumulation=Cumulation(cumulation),
        feed=feed,
        digits=int(digits),
        block=next(title for first, title in reversed(_BLOCKS) if int(number) >= first),
        note=note,
    )


PLAN: Mapping[int, PlanRow] = {
    row.number: row for row in map(_read_row, _TABLE.strip().splitlines())
}
