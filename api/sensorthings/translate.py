"""From an expression to SQL: texts out of tables, values as parameters, nothing else. Pure.

Logic has two values, as in OData: what compares with a missing value is false.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from api.queries.composed import exists
from api.sensorthings.expression import Binary, Call, Literal, Node, Path, Unary, moment_of
from api.sensorthings.model import KEY_NAMES, TYPES, EntityType, Field, Kind, key_field
from api.sensorthings.refusal import missing, wrong

_COMPARE = {"eq": "=", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_ARITHMETIC = {"add": "({} + {})", "sub": "({} - {})", "mul": "({} * {})", "div": "({} / {})"}
_ARITHMETIC |= {"mod": "mod({}, {})"}
# name: (kinds of the arguments, kind of the result, SQL)
FUNCTIONS: Mapping[str, tuple[tuple[Kind, ...], Kind, str]] = {
    "startswith": (("text", "text"), "boolean", "starts_with({}, {})"),
    "endswith": (("text", "text"), "boolean", "(right({0}, length({1})) = {1})"),
    "contains": (("text", "text"), "boolean", "(strpos({}, {}) > 0)"),
    "substringof": (("text", "text"), "boolean", "(strpos({1}, {0}) > 0)"),
    "length": (("text",), "number", "length({})::numeric"),
    "indexof": (("text", "text"), "number", "(strpos({}, {}) - 1)::numeric"),
    "substring": (("text", "number"), "text", "substr({}, {}::int + 1)"),
    "tolower": (("text",), "text", "lower({})"),
    "toupper": (("text",), "text", "upper({})"),
    "trim": (("text",), "text", "btrim({})"),
    "concat": (("text", "text"), "text", "({} || {})"),
    "round": (("number",), "number", "round({})"),
    "floor": (("number",), "number", "floor({})"),
    "ceiling": (("number",), "number", "ceil({})"),
    "st_within": (("geometry", "geometry"), "boolean", "({} <@ {})"),
}
_KNOWN_ELSEWHERE = re.compile(
    r"(st_|geo\.)\w+|year|month|day|hour|minute|second|fractionalseconds|date|time|now"
    r"|totaloffsetminutes|mindatetime|maxdatetime|before|after|meets|during|overlaps|starts"
    r"|finishes|any|all|cast|isof"
)
_CASTS: Mapping[Kind, str] = {
    "text": "text",
    "number": "numeric",
    "time": "timestamptz",
    "boolean": "boolean",
}
_POLYGON = re.compile(r"POLYGON ?\(\(([\d.eE,+ -]+)\)\)", re.IGNORECASE)
MOST_VERTICES = 500
MOST_NAVIGATIONS = 3


@dataclass(frozen=True, slots=True)
class Typed:
    """A piece of SQL and the kind of its value."""

    sql: str
    kind: Kind


@dataclass(slots=True)
class Translator:
    """Collects the parameters of one query; aliases and names are its own."""

    values: dict[str, object] = field(default_factory=dict)
    aliases: int = 0

    def condition(self, node: Node, entity: EntityType, alias: str) -> str:
        """The expression as a condition on rows of the entity under this alias."""
        if isinstance(node, Unary) and node.operator == "not":
            return f"(not {self.condition(node.operand, entity, alias)})"
        if isinstance(node, Binary) and node.operator in ("and", "or"):
            left = self.condition(node.left, entity, alias)
            return f"({left} {node.operator} {self.condition(node.right, entity, alias)})"
        routes = {_route(path, entity) for path in _paths(node)}
        if len(routes) > 1:
            raise missing("the properties of one comparison must be of one entity")
        if route := next(iter(routes), ()):
            return self._exists(node, entity, alias, route)
        return self._simple(node, entity, alias)

    def parameter(self, value: object, kind: Kind) -> str:
        """The value as a parameter of this kind."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"%({name})s::{_CASTS[kind]}"

    def equal(self, column: str, value: object) -> str:
        """A column of the rows under `e` equals a value, in the column's own type."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"e.{column} = %({name})s::{'bigint' if isinstance(value, int) else 'text'}"

    def _exists(self, node: Node, entity: EntityType, alias: str, route: tuple[str, ...]) -> str:
        """Some entity at the end of the first navigation meets the expression."""
        if len(route) > MOST_NAVIGATIONS:
            raise wrong(f"more than {MOST_NAVIGATIONS} navigations in a path")
        link = entity.links[route[0]]
        if link.target == "Observations":
            raise missing("entities cannot be filtered by their Observations")
        target = TYPES[link.target]
        self.aliases += 1
        inner = f"n{self.aliases}"
        joined = " and ".join(f"{inner}.{there} = {alias}.{here}" for here, there in link.on)
        condition = self.condition(_shortened(node), target, inner)
        return exists(target.source, inner, f"{joined} and {condition}")

    def _simple(self, node: Node, entity: EntityType, alias: str) -> str:
        if isinstance(node, Binary) and node.operator in ("eq", "ne", *_COMPARE):
            return self._comparison(node, entity, alias)
        typed = self._value(node, entity, alias)
        if typed.kind != "boolean":
            raise wrong(f"a {typed.kind} is no condition")
        return f"({typed.sql} is true)"

    def _comparison(self, node: Binary, entity: EntityType, alias: str) -> str:
        left, right = (self._value(side, entity, alias) for side in (node.left, node.right))
        left, right = self._as_times(node, left, right)
        if "null" in (left.kind, right.kind):
            if node.operator not in ("eq", "ne"):
                raise wrong("null can only be compared with eq and ne")
            asked = right if left.kind == "null" else left
            return f"({asked.sql} is {'not ' if node.operator == 'ne' else ''}null)"
        if left.kind != right.kind or left.kind == "geometry":
            raise wrong(f"a {left.kind} cannot be compared with a {right.kind}")
        if node.operator == "ne":
            return f"({left.sql} is distinct from {right.sql})"
        return f"(({left.sql} {_COMPARE[node.operator]} {right.sql}) is true)"

    def _as_times(self, node: Binary, left: Typed, right: Typed) -> tuple[Typed, Typed]:
        """A text beside a time is a time in quotes, which many clients write."""
        if (left.kind, right.kind) == ("time", "text") and isinstance(node.right, Literal):
            return left, Typed(self.parameter(moment_of(str(node.right.value)), "time"), "time")
        if (left.kind, right.kind) == ("text", "time") and isinstance(node.left, Literal):
            return Typed(self.parameter(moment_of(str(node.left.value)), "time"), "time"), right
        return left, right

    def _value(self, node: Node, entity: EntityType, alias: str) -> Typed:
        match node:
            case Literal():
                return self._literal(node)
            case Path(parts):
                found = self.field_of(parts, entity)
                return Typed(found.sql.format(alias), found.kind)
            case Call(name, arguments):
                return self._call(name, [self._value(a, entity, alias) for a in arguments])
            case Unary("-", operand):
                inner = self._value(operand, entity, alias)
                _require("-", [inner], ("number",))
                return Typed(f"(- {inner.sql})", "number")
            case Binary(operator, left, right) if operator in _ARITHMETIC:
                sides = [self._value(side, entity, alias) for side in (left, right)]
                _require(operator, sides, ("number", "number"))
                return Typed(_ARITHMETIC[operator].format(*(s.sql for s in sides)), "number")
            case _:
                return Typed(self.condition(node, entity, alias), "boolean")

    def _literal(self, node: Literal) -> Typed:
        match node.value:
            case None:
                return Typed("null", "null")
            case bool():
                return Typed(self.parameter(node.value, "boolean"), "boolean")
            case Decimal():
                return Typed(self.parameter(node.value, "number"), "number")
            case datetime():
                return Typed(self.parameter(node.value, "time"), "time")
            case str() if node.is_geometry:
                return Typed(self._polygon(node.value), "geometry")
            case str():
                return Typed(self.parameter(node.value, "text"), "text")

    def _polygon(self, text: str) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = polygon_of(text)
        return f"%({name})s::polygon"

    def _call(self, name: str, arguments: list[Typed]) -> Typed:
        if name not in FUNCTIONS:
            refuse = missing if _KNOWN_ELSEWHERE.fullmatch(name) else wrong
            raise refuse(f"no function {name!r}; there are: {', '.join(sorted(FUNCTIONS))}")
        wanted, kind, text = FUNCTIONS[name]
        _require(name, arguments, wanted)
        return Typed(text.format(*(a.sql for a in arguments)), kind)

    def field_of(self, parts: tuple[str, ...], entity: EntityType) -> Field:
        """The entity's own property, or an open one of `properties`."""
        name = "/".join(parts)
        if name in KEY_NAMES:
            return key_field(entity)
        if name in entity.fields:
            return entity.fields[name]
        if entity.open_column and len(parts) == 2 and parts[0] == "properties":
            key = self.parameter(parts[1], "text")
            return Field(f"({{0}}.{entity.open_column} ->> {key})", "text", False)
        known = ", ".join(["id", *entity.fields, *(f"{n}/…" for n in entity.links)])
        raise wrong(f"{entity.set_name} cannot be asked by {name!r}; there are: {known}")


def polygon_of(text: str) -> str:
    """Well-known text of a polygon as PostgreSQL writes one. One ring; its edge belongs to it."""
    match = _POLYGON.fullmatch(text.strip().removeprefix("SRID=4326;"))
    if match is None:
        raise wrong("a geometry must be geography'POLYGON((lon lat, lon lat, …))', without holes")
    pairs = [pair.split() for pair in match.group(1).split(",")]
    if not 4 <= len(pairs) <= MOST_VERTICES:
        raise wrong(f"a polygon has 4 to {MOST_VERTICES} corners, the first one repeated")
    corners = [(_coordinate(pair, 0, 180), _coordinate(pair, 1, 90)) for pair in pairs]
    if corners[0] != corners[-1]:
        raise wrong("a polygon must end where it begins")
    return "(" + ",".join(f"({lon!r},{lat!r})" for lon, lat in corners) + ")"


def _coordinate(pair: list[str], at: int, most: int) -> float:
    try:
        value = float(pair[at]) if len(pair) == 2 else float("nan")
    except ValueError as error:
        raise wrong(f"{' '.join(pair)!r} is no longitude and latitude") from error
    if not -most <= value <= most:
        raise wrong(f"{' '.join(pair)!r} is no longitude and latitude")
    return value


def _require(name: str, given: list[Typed], wanted: tuple[Kind, ...]) -> None:
    kinds = tuple(typed.kind for typed in given)
    if kinds != wanted:
        raise wrong(f"{name} takes ({', '.join(wanted)}), not ({', '.join(kinds)})")


def _paths(node: Node) -> list[Path]:
    match node:
        case Path():
            return [node]
        case Unary(_, operand):
            return _paths(operand)
        case Binary(_, left, right):
            return _paths(left) + _paths(right)
        case Call(_, arguments):
            return [path for each in arguments for path in _paths(each)]
    return []


def _route(path: Path, entity: EntityType) -> tuple[str, ...]:
    """The navigations at the beginning of the path."""
    route: list[str] = []
    for part in path.parts:
        if part not in entity.links:
            break
        route.append(part)
        entity = TYPES[entity.links[part].target]
    return tuple(route)


def _shortened(node: Node) -> Node:
    """The expression without the first navigation of its paths."""
    match node:
        case Path(parts):
            if len(parts) == 1:
                raise wrong(f"{parts[0]} is an entity, not a value; name one of its properties")
            return Path(parts[1:])
        case Unary(operator, operand):
            return Unary(operator, _shortened(operand))
        case Binary(operator, left, right):
            return Binary(operator, _shortened(left), _shortened(right))
        case Call(name, arguments):
            return Call(name, tuple(_shortened(each) for each in arguments))
    return node
