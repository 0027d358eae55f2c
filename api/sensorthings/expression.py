"""OData expressions: text to tree (OData 4.0 part 2 §5.1.1, 18-088 §9.3.3.5). Pure.

One pass, one token at a time: the work is linear in the text, depth and size are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from api.sensorthings.refusal import missing, wrong

MOST_CHARACTERS = 4000
MOST_DEPTH = 24
MOST_TOKENS = 400

_TOKEN = re.compile(
    r"(?P<space>[ \t]+)"
    r"|(?P<geometry>geo(?:graphy|metry)'[^']*')"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<time>\d{4}-\d\d-\d\dT[\d:.]{5,18}(?:Z|[+ -]\d\d:\d\d)?)"
    r"|(?P<number>\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?)"
    r"|(?P<name>[A-Za-z_@$][\w.@$]*)"
    r"|(?P<sign>[(),/:-])"
)
_OR, _AND, _EQUAL, _ORDER, _SUM, _PRODUCT = (
    {"or"},
    {"and"},
    {"eq", "ne"},
    {"gt", "ge", "lt", "le"},
    {"add", "sub"},
    {"mul", "div", "mod"},
)
_LEVELS = (_OR, _AND, _EQUAL, _ORDER, _SUM, _PRODUCT)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value of the client's. A geometry is its well-known text."""

    value: str | Decimal | datetime | bool | None
    is_geometry: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """Names that lead to a property."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str  # not, -
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Node, ...]


Node: TypeAlias = Literal | Path | Unary | Binary | Call


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str


def parse(text: str) -> Node:
    """The tree of a `$filter`. `Problem` 400 when it is none, 501 for what is not done here."""
    parser = _Parser(tokens_of(text))
    tree = parser.expression(0, 0)
    parser.expect_end()
    return tree


def tokens_of(text: str) -> list[Token]:
    """The tokens without spaces. `Problem` 400 for anything else."""
    if len(text) > MOST_CHARACTERS:
        raise wrong(f"longer than {MOST_CHARACTERS} characters")
    if "\x00" in text:
        raise wrong("a NUL character has no place in an expression")
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise wrong(f"cannot read the expression at {text[at : at + 20]!r}")
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group()))
        at = match.end()
    if len(found) > MOST_TOKENS:
        raise wrong(f"more than {MOST_TOKENS} words and signs")
    return found


def literal_of(token: Token) -> Literal | None:
    """The token as a value; None when it is a name."""
    match token.kind:
        case "text":
            return Literal(token.text[1:-1].replace("''", "'"))
        case "geometry":
            return Literal(token.text[token.text.index("'") + 1 : -1], True)
        case "time":
            return Literal(moment_of(token.text))
        case "number":
            return Literal(_number(token.text))
        case "name" if token.text in ("true", "false"):
            return Literal(token.text == "true")
        case "name" if token.text == "null":
            return Literal(None)
    return None


def moment_of(text: str) -> datetime:
    """An instant with an offset (a `+` may have arrived as a space)."""
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise wrong(f"{text!r} is not an ISO 8601 time") from error
    if moment.tzinfo is None:
        raise wrong(f"{text!r} has no offset; write Z or +08:00")
    if not 1 < moment.year < 9999:
        raise wrong(f"{text!r} is out of reach")
    return moment


class _Parser:
    """Recursive descent over the levels of precedence."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def expression(self, level: int, depth: int) -> Node:
        if depth > MOST_DEPTH:
            raise wrong(f"nested deeper than {MOST_DEPTH}")
        if level == len(_LEVELS):
            return self._unary(depth)
        left = self.expression(level + 1, depth)
        while (token := self._peek()) and token.kind == "name" and token.text in _LEVELS[level]:
            self._at += 1
            left = Binary(token.text, left, self.expression(level + 1, depth))
        return left

    def expect_end(self) -> None:
        if (token := self._peek()) is not None:
            raise wrong(f"{token.text!r} is out of place")

    def _unary(self, depth: int) -> Node:
        token = self._peek()
        if token is not None and token.text in ("not", "-") and token.kind in ("name", "sign"):
            self._at += 1
            if depth + 1 > MOST_DEPTH:
                raise wrong(f"nested deeper than {MOST_DEPTH}")
            return Unary(token.text, self._unary(depth + 1))
        return self._primary(depth)

    def _primary(self, depth: int) -> Node:
        token = self._next("a value")
        if token.text == "(" and token.kind == "sign":
            inner = self.expression(0, depth + 1)
            self._require(")")
            return inner
        if (value := literal_of(token)) is not None:
            return value
        if token.kind != "name":
            raise wrong(f"{token.text!r} is out of place")
        if self._is("("):
            return self._call(token.text, depth)
        return self._path(token.text)

    def _call(self, name: str, depth: int) -> Node:
        self._require("(")
        arguments: list[Node] = []
        while not self._is(")"):
            if arguments:
                self._require(",")
            arguments.append(self.expression(0, depth + 1))
        self._require(")")
        return Call(name, tuple(arguments))

    def _path(self, first: str) -> Node:
        parts = [first]
        while self._is("/"):
            self._at += 1
            token = self._next("a name")
            if token.kind != "name":
                raise wrong(f"{token.text!r} is no name")
            if token.text in ("any", "all") and self._is("("):
                raise missing("lambda expressions (any, all) are not supported; a path is enough")
            parts.append(token.text)
        return Path(tuple(parts))

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self, wanted: str) -> Token:
        token = self._peek()
        if token is None:
            raise wrong(f"the expression ends where {wanted} should be")
        self._at += 1
        return token

    def _is(self, sign: str) -> bool:
        token = self._peek()
        return token is not None and token.kind == "sign" and token.text == sign

    def _require(self, sign: str) -> None:
        if not self._is(sign):
            token = self._peek()
            raise wrong(f"{sign!r} is missing before {token.text if token else 'the end'!r}")
        self._at += 1


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:  # pragma: no cover - the token's shape excludes it
        raise wrong(f"{text!r} is not a number") from error
