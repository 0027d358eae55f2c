-- What stands behind a colour: by domain for a county, by area for a city and the province.

alter table area_risk add column detail jsonb not null default '{}';
