"""Answers SensorThings requests in one snapshot: follows paths, reads pages, expands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from api.moment import from_ms
from api.problem import Problem
from api.queries.composed import ALIAS, Composed
from api.queries.pool import Unanswerable
from api.sensorthings import walk
from api.sensorthings.address import Key, Step
from api.sensorthings.model import OBSERVATIONS, TYPES, EntityType, key_field
from api.sensorthings.options import Expand, Options
from api.sensorthings.order import (
    SortKey,
    after,
    digest_of,
    direction,
    sort_keys,
    token_of,
    values_of,
)
from api.sensorthings.refusal import wrong
from api.sensorthings.render import Content, Renderer, own_path
from api.sensorthings.translate import Translator
from api.view import View

MOST_READS = 1000
_OBSERVATION_KEY = re.compile(r"(\d{1,15})-(\d{1,14})")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Subset:
    """Entities of one set that a path leads to: `on` are columns and what they must equal."""

    entity: EntityType
    path: str
    on: tuple[tuple[str, Any], ...] = ()


@dataclass(slots=True)
class Service:
    """One request's reader. `reads` is how many statements it may still take."""

    seen: View
    by: Renderer
    reads: int = MOST_READS
    _known: dict[tuple[Any, ...], Row | None] = field(default_factory=dict)

    async def follow(self, steps: Sequence[Step]) -> tuple[Subset, Row | None]:
        """The set at the end of the path, or the one entity of it. `Problem` 404 when it is not."""
        subset, row = await self._step(Subset(TYPES[steps[0].name], steps[0].name), steps[0].key)
        for step in steps[1:]:
            assert row is not None
            link = subset.entity.links[step.name]
            linked = self.linked(subset.entity, row, step.name)
            if link.many:
                subset, row = await self._step(linked, step.key)
            else:
                subset, row = linked, await self.one(linked)
            if row is None and not link.many:
                raise Problem(404, f"{linked.path} is not there.", unseen=True)
        return subset, row

    async def _step(self, subset: Subset, key: Key | None) -> tuple[Subset, Row | None]:
        if key is None:
            return subset, None
        row = await self.keyed(subset, key)
        if row is None:
            raise Problem(404, f"{subset.path} has no entity {key!r}.", unseen=True)
        return subset, row

    def linked(self, entity: EntityType, row: Row, name: str) -> Subset:
        """What a row is linked to."""
        link = entity.links[name]
        on = tuple((there, row[here]) for here, there in link.on)
        return Subset(TYPES[link.target], f"{own_path(entity, row)}/{name}", on)

    async def keyed(self, subset: Subset, key: Key) -> Row | None:
        """The entity with this key, when it is in the set."""
        translator = Translator()
        where = [translator.equal(column, value) for column, value in subset.on]
        if subset.entity is OBSERVATIONS:
            return await self._observation(translator, where, str(key))
        own = key_field(subset.entity)
        where.append(f"{own.sql.format(ALIAS)} = {translator.parameter(key, own.kind)}")
        rows = await self._page(
            Composed(subset.entity.source, tuple(where), values=translator.values), 1
        )
        return rows[0] if rows else None

    async def _observation(self, translator: Translator, where: list[str], key: str) -> Row | None:
        match = _OBSERVATION_KEY.fullmatch(key)
        if match is None or not key.isascii():
            return None
        sensor, prop = walk.series_numbered(int(match[1]))
        moment = from_ms(min(int(match[2]), 10**14 - 1))
        where += [translator.equal("sensor", sensor), translator.equal("property", prop)]
        query = Composed(OBSERVATIONS.source, tuple(where), values=translator.values)
        rows = await self._page(walk.timed(query, walk.Stretch(moment, moment + walk.SOON)), 1)
        return rows[0] if rows else None

    async def one(self, subset: Subset) -> Row | None:
        """The one entity of a link to one; read once in a request."""
        place = (subset.entity.set_name, *subset.on)
        if place not in self._known:
            translator = Translator()
            where = tuple(translator.equal(column, value) for column, value in subset.on)
            query = Composed(subset.entity.source, where, values=translator.values)
            rows = await self._page(query, 1)
            self._known[place] = rows[0] if rows else None
        return self._known[place]

    async def page(self, subset: Subset, options: Options) -> tuple[list[Row], Content]:
        """Rows of a set, and what stands beside them: `@iot.count`, `@iot.nextLink`."""
        translator = Translator()
        where = [translator.equal(column, value) for column, value in subset.on]
        if options.filter is not None:
            where.append(translator.condition(options.filter, subset.entity, ALIAS))
        keys = sort_keys(subset.entity, options.order)
        digest = digest_of(subset.path, options.texts)
        query = Composed(
            subset.entity.source,
            tuple(where),
            tuple(key.ordered for key in keys),
            {f"k{at}": key.sql for at, key in enumerate(keys)},
            translator.values,
        )
        beside: Content = {}
        if options.count:
            beside["@iot.count"] = await self._count(subset, options, query)
        if options.top == 0:
            return [], beside
        rows = await self._rows(subset, options, query, keys, digest, translator)
        if len(rows) > options.top:
            token = token_of(keys, rows[options.top - 1], digest)
            beside["@iot.nextLink"] = self._next(subset, options, token)
        return rows[: options.top], beside

    async def _rows(
        self,
        subset: Subset,
        options: Options,
        query: Composed,
        keys: list[SortKey],
        digest: str,
        translator: Translator,
    ) -> list[Row]:
        need, way = options.top + 1, direction(keys)
        asked = walk.stretch_of(options.filter)
        if options.token is not None:
            values = values_of(options.token, keys, digest)
            where = (*query.where, after(keys, values, translator))
            query = Composed(query.source, where, query.order, query.extra, translator.values)
            if way is not None:
                end = values[0] + walk.SOON
                asked = asked.within(
                    walk.Stretch(None, end) if way else walk.Stretch(values[0], None)
                )
        if subset.entity is not OBSERVATIONS:
            return await self._page(query, need, options.skip)
        reach = await self._reach(subset, options)
        self._spend()
        with _Answered():
            return list(
                await walk.read_page(self.seen.reader, query, reach, asked, need, options.skip, way)
            )

    async def _count(self, subset: Subset, options: Options, query: Composed) -> int:
        if subset.entity is OBSERVATIONS:
            reach = await self._reach(subset, options)
            if reach.floor is None:
                return 0
            floor = walk.Stretch(reach.floor, None)
            query = walk.timed(query, walk.stretch_of(options.filter).within(floor))
        self._spend()
        with _Answered():
            return await self.seen.reader.total(query)

    async def _reach(self, subset: Subset, options: Options) -> walk.Reach:
        """How far the readings of the set reach: of one series, of a point's, or of all."""
        on = dict(subset.on)
        if "sensor" in on:
            series = [(on["sensor"], on["property"])]
        elif "point" in on:
            translator = Translator()
            where = (translator.equal("point", on["point"]),)
            query = Composed("st_datastreams", where, values=translator.values)
            series = [(r["sensor"], r["property"]) for r in await self._page(query, 10_000)]
        else:
            found = walk.series_of(options.filter)
            self._spend()
            return await walk.reach_of(self.seen, found)
        self._spend()
        return await walk.reach_of(self.seen, series)

    async def told(self, subset: Subset, row: Row, options: Options) -> Content:
        """One entity with what is expanded inside."""
        content = self.by.entity(subset.entity, row, options.select)
        for expand in options.expand:
            content |= await self._expanded(subset.entity, row, expand)
        return content

    async def _expanded(self, entity: EntityType, row: Row, expand: Expand) -> Content:
        linked = self.linked(entity, row, expand.link)
        if entity.links[expand.link].many:
            rows, beside = await self.page(linked, expand.options)
            inside = {f"{expand.link}{name}": value for name, value in beside.items()}
            told = [await self.told(linked, each, expand.options) for each in rows]
            return {expand.link: told} | inside
        found = await self.one(linked)
        told_one = None if found is None else await self.told(linked, found, expand.options)
        return {expand.link: told_one}

    def _next(self, subset: Subset, options: Options, token: str) -> str:
        kept = {n: t for n, t in options.texts.items() if n not in ("$skip", "$skiptoken")}
        kept["$skiptoken"] = token
        query = "&".join(f"{name}={quote(text, safe=_READABLE)}" for name, text in kept.items())
        return self.by.links.to(subset.path, query)

    async def _page(self, query: Composed, limit: int, offset: int = 0) -> list[Row]:
        self._spend()
        with _Answered():
            return list(await self.seen.reader.page(query, limit, offset))

    def _spend(self) -> None:
        self.reads -= 1
        if self.reads < 0:
            raise wrong("too much at once: expand less, or take a smaller $top")


_READABLE = "/()',:@$!*~-._"


class _Answered:
    """Turns a question that has no answer for its values into a 400."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Unanswerable):
            raise wrong(f"this cannot be computed: {error}") from error
