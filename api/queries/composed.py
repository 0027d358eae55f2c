"""Queries over one named statement whose conditions are put together at run time.

Conditions, order and extra columns are texts of the program's own tables; whatever a client sent is
among `values`, as a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from api.queries.statements import statements

ALIAS = "e"


@dataclass(frozen=True, slots=True)
class Composed:
    """Rows of the statement `source`, under the alias `e`."""

    source: str
    where: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)  # column: expression
    values: Mapping[str, object] = field(default_factory=dict)

    def rows(self, limit: int, offset: int) -> tuple[bytes, dict[str, object]]:
        """The statement and its parameters for one page."""
        columns = ", ".join(["e.*", *(f"{sql} as {name}" for name, sql in self.extra.items())])
        order = f" order by {', '.join(self.order)}" if self.order else ""
        text = f"select {columns}{self._from()}{order} limit %(_limit)s offset %(_offset)s"
        return text.encode(), {**self.values, "_limit": limit, "_offset": offset}

    def count(self) -> tuple[bytes, dict[str, object]]:
        """The statement and its parameters for the number of all rows."""
        return f"select count(*){self._from()}".encode(), dict(self.values)

    def _from(self) -> str:
        source = statements()[self.source].decode()
        where = f" where {' and '.join(self.where)}" if self.where else ""
        return f" from ({source}) {ALIAS}{where}"


def exists(source: str, alias: str, condition: str) -> str:
    """Whether rows of the statement under the alias meet the condition."""
    inner = statements()[source].decode()
    return " ".join(("exists (select 1 from (", inner, ")", alias, "where", condition, ")"))
