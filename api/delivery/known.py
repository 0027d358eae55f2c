"""What is known beside the outbox: who subscribes, where things lie, what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely
from psycopg.rows import class_row

from api.delivery.completeness import AreaState
from api.delivery.filter import Filter
from api.delivery.place import Places
from api.delivery.subscription import Channel, Language, Mode, Subscription
from streams.alerting.title import Said
from streams.storage.connect import Connection, translated

SUBSCRIPTIONS = """
select id, name, channel, target, filter, mode, language, heartbeat, inner_network, secret,
    previous_secret, previous_until, paused, after, version, opening
from subscription where removed_at is null order by id
"""
POINTS = "select id, lon, lat from point where lon is not null and lat is not null"
CENTRES = "select code, lon, lat from area where lon is not null and lat is not null"
# An area's clock is that of its partition, which moves also when nobody speaks; a city or province
# has that of the county which is furthest behind.
AREA_STATES = """
with clock as (
    select told.area, max(newest.proc_ms) as ms
    from (select kind, proc_ms, payload from region_log order by id desc limit 1000) newest
    cross join lateral jsonb_array_elements_text(newest.payload -> 'areas') told (area)
    where newest.kind = 'clock'
    group by told.area
), watched as (
    select area, count(*) as points from point group by area
), latest as (
    select area, max(decided_at) as decided_at,
        sum(jsonb_array_length(coalesce(payload -> 'silent', '[]'))) as silent
    from area_latest group by area
), looked as (
    select w.area, greatest(l.decided_at, r.decided_at, at_ms(c.ms)) as at
    from watched w left join latest l using (area) left join area_risk r using (area)
    left join clock c using (area)
)
select a.code, coalesce(told.points, w.points, 0)::int, coalesce(told.reporting, 0)::int,
    coalesce(l.silent, 0)::int, coalesce(r.unknown, l.decided_at is null),
    (extract(epoch from coalesce((
        select min(one.at) from looked one
        where one.area ^@ regexp_replace(a.code, '(00)+$', '')
    ), l.decided_at, r.decided_at)) * 1000)::bigint
from area a
left join area_risk r on r.area = a.code
left join latest l on l.area = a.code
left join watched w on w.area = a.code
left join lateral jsonb_to_record(coalesce(r.detail -> 'completeness', '{}'))
    as told (points int, reporting int) on true
"""
TITLES = """
select v.version, r.rule ->> 'name', coalesce(r.rule ->> 'title_zh', ''),
    coalesce(r.rule ->> 'title_en', '')
from config_version v left join lateral jsonb_array_elements(v.content -> 'rules') r (rule) on true
where v.kind = 'rules' order by v.created_at, v.version
"""


@dataclass(frozen=True, slots=True)
class Known:
    """Areas (Chinese, English) by code, points by id, and what rule sets say of titles."""

    areas: Mapping[str, tuple[str, str]]
    points: Mapping[str, str]
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    name: str
    channel: str
    target: str
    filter: Mapping[str, Any]
    mode: str
    language: str
    heartbeat: bool
    inner_network: bool
    secret: str | None
    previous_secret: str | None
    previous_until: datetime | None
    paused: bool
    after: int
    version: int
    opening: bool


def read_subscriptions(connection: Connection) -> list[Subscription]:
    """All that are not removed."""
    with translated(), connection.cursor(row_factory=class_row(_Row)) as cursor:
        return [_subscription(row) for row in cursor.execute(SUBSCRIPTIONS).fetchall()]


def read_places(connection: Connection) -> Places:
    """Shapes and centres of areas, positions of points."""
    with translated():
        shapes = connection.execute("select code, geometry::text from area_shape").fetchall()
        points = connection.execute(POINTS).fetchall()
        centres = connection.execute(CENTRES).fetchall()
    return Places(
        shapes={code: shapely.from_geojson(text) for code, text in shapes},
        points={id: (lon, lat) for id, lon, lat in points},
        centres={code: (lon, lat) for code, lon, lat in centres},
    )


def read_area_states(connection: Connection) -> dict[str, AreaState]:
    """How complete the picture of every area is."""
    with translated():
        rows = connection.execute(AREA_STATES).fetchall()
    return {row[0]: AreaState(*row) for row in rows}


def read_names(connection: Connection) -> Known:
    """What areas, points and rules are called."""
    with translated():
        areas = connection.execute("select code, name, name_en from area").fetchall()
        points = connection.execute("select id, name from point").fetchall()
        said = connection.execute(TITLES).fetchall()
    named = {code: (zh, en) for code, zh, en in areas}
    return Known(named, dict(points), tuple(Said(*row) for row in said))


def _subscription(row: _Row) -> Subscription:
    return Subscription(
        id=row.id,
        name=row.name,
        channel=Channel(row.channel),
        target=row.target,
        filter=Filter.model_validate(row.filter),
        mode=Mode(row.mode),
        language=Language(row.language),
        heartbeat=row.heartbeat,
        inner_network=row.inner_network,
        secret=row.secret,
        previous_secret=row.previous_secret,
        previous_until=row.previous_until,
        paused=row.paused,
        after=row.after,
        version=row.version,
        opening=row.opening,
    )
