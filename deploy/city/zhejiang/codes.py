"""Six-digit GB/T 2260 codes of Zhejiang: levels, parents, codes retired in 2021-04, the box test.

Sources: domain.md §6 (codes, V; areas K). The codes themselves come with the boundaries. What may
change is a parameter of the city's profile.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sensors.registry.geography import Box
from streams.contracts.domain import Parameter
from streams.errors import Misconfigured

PROVINCE = "330000"
COUNTIES_PER_CITY: Mapping[str, int] = MappingProxyType(
    {
        "330100": 13,
        "330200": 10,
        "330300": 12,
        "330400": 7,
        "330500": 5,
        "330600": 6,
        "330700": 9,
        "330800": 6,
        "330900": 4,
        "331000": 9,
        "331100": 9,
    }
)

BBOX = Parameter(
    "area.bbox", "118.0,27.0,123.0,31.5", "° W,S,E,N", "H", "domain.md §6: where points may stand"
)
RETIREMENTS = Parameter(
    "area.retired",
    "330103=330105 330104=330102,330114 330110=330110,330113",
    "code=successors",
    "V",
    "domain.md §6, 2021-04: 下城区 → 拱墅区; 江干区 → 上城区, 钱塘区; 临平区 out of 余杭区. "
    "Several successors: by position",
)
FORMER = Parameter(
    "area.former_names",
    "下城区=330103 江干区=330104 钱塘新区=330114",
    "name=code",
    "V",
    "domain.md §6: names lag",
)
RANGES = Parameter(
    "area.code_ranges",
    "1-20 21-80 81-99",
    "last two digits",
    "K",
    "domain.md §6: district, county, county-level city",
)
PARAMETERS = (BBOX, RETIREMENTS, FORMER, RANGES)
KINDS = ("district", "county", "county_city")


def read_box(values: Mapping[str, str]) -> Box:
    """`area.bbox` of a profile. Raises `Misconfigured`."""
    text = values.get(BBOX.key, BBOX.default)
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise Misconfigured([f"{BBOX.key} = {text!r} is not west,south,east,north"]) from error
    return Box(west, south, east, north)


def read_pairs(declared: Parameter, values: Mapping[str, str]) -> dict[str, str]:
    """`key=value` pairs of a profile's text. Raises `Misconfigured`."""
    pairs = values.get(declared.key, declared.default).split()
    mistakes = [f"{declared.key}: {p!r} is not {declared.unit}" for p in pairs if "=" not in p]
    if mistakes:
        raise Misconfigured(mistakes)
    return dict(pair.split("=", 1) for pair in pairs)


def read_retired(values: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Retired or divided code → codes in force; more than one = decide by position."""
    return {c: tuple(now.split(",")) for c, now in read_pairs(RETIREMENTS, values).items()}


def read_ranges(values: Mapping[str, str]) -> tuple[int, ...]:
    """The last number of each kind's range. Raises `Misconfigured`."""
    text = values.get(RANGES.key, RANGES.default)
    try:
        ends = tuple(int(part.split("-")[1]) for part in text.split())
    except (ValueError, IndexError):
        ends = ()
    if len(ends) != len(KINDS) or list(ends) != sorted(ends):
        raise Misconfigured([f"{RANGES.key} = {text!r} is not three ascending ranges"])
    return ends


RETIRED: Mapping[str, tuple[str, ...]] = MappingProxyType(read_retired({}))
BOX = read_box({})
_ENDS = read_ranges({})


def level(code: str) -> str:
    """`province`, `city` or `county`. Raises `ValueError` for what is no code of Zhejiang."""
    if len(code) != 6 or not code.isdigit() or not code.startswith("33"):
        raise ValueError(f"{code!r} is not a six-digit code of Zhejiang")
    if code == PROVINCE:
        return "province"
    return "city" if code.endswith("00") else "county"


def parent(code: str) -> str | None:
    """The area above: the city of a county, the province of a city, None for the province."""
    match level(code):
        case "province":
            return None
        case "city":
            return PROVINCE
        case _:
            return code[:4] + "00"


def kind(code: str) -> str:
    """`district`, `county` or `county_city` by the last two digits (`area.code_ranges`)."""
    number = int(code[4:])
    return next(kind for kind, end in zip(KINDS, _ENDS, strict=True) if number <= end)
