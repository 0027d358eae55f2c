-- name: province
select name as __text, code as __value from {ns}.board_area where level = 'province' order by code

-- name: city
select name as __text, code as __value from {ns}.board_area
where level = 'city' and province in ($province) order by code

-- name: county
select name as __text, code as __value from {ns}.board_area
where level = 'county' and city in ($city) order by code

-- name: alert_notes
-- Beginning and end of alerts that were red or orange, as marks on every curve.
select al.onset as time, coalesce(al.ended, $__timeTo()::timestamptz) as timeend,
    coalesce(al.point_name, al.area_name, al.area) || ' ' || al.rule as text,
    al.domain || ',' || al.peak_severity as tags
from {ns}.board_alert al
where $__timeFilter(al.onset) and al.peak_severity >= 3 and al.domain = {domain}
    and al.area in ($county, $city, $province)
order by al.peak_severity desc, al.onset limit 200
