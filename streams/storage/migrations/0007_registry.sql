-- Names that other systems know a point or a sensor by; a projection of the registry version, like
-- point and point_sensor.

create table external_id (
    scheme text not null,
    id text not null,
    point text not null,
    sensor int                             -- null: the point's own name
);
create index external_id_known on external_id (scheme, id);
create index external_id_of_point on external_id (point);
