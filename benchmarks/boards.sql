-- A month of one domain for benchmarks/boards.py, in the order in which a worker would write it. The
-- registry is there. `month` and `until` are settings of the session.

create temporary table watched as
select row_number() over (order by ps.sensor)::int as n, ps.sensor, ps.point, p.area, pr.id as property
from point_sensor ps join point p on p.id = ps.point join property pr on pr.name = 'depth'
where 'depth' = any(ps.properties);

insert into observation_window
select 3600, w.sensor, w.property, hour, 120, 0, 120 * (1000 + w.n % 300), 100, 2000 + (w.n * 7) % 3000
from generate_series(current_setting('boards.until')::timestamptz - interval '30 days',
    current_setting('boards.until')::timestamptz - interval '1 hour', interval '1 hour') hour, watched w;

insert into observation_window
select 300, w.sensor, w.property, five, 10, 0, 10 * (1000 + w.n % 300), 100, 2000 + (w.n * 7) % 3000
from generate_series(current_setting('boards.until')::timestamptz - interval '12 hours',
    current_setting('boards.until')::timestamptz - interval '5 minutes', interval '5 minutes') five,
    watched w;

insert into observation_window
select 60, w.sensor, w.property, minute, 2, 0, 2 * (1000 + w.n % 300), 100, 2000 + (w.n * 7) % 3000
from generate_series(current_setting('boards.until')::timestamptz - interval '6 hours',
    current_setting('boards.until')::timestamptz - interval '1 minute', interval '1 minute') minute,
    watched w;

insert into alert
select md5(each.n::text), 'waterlogging.depth', '1', 'waterlogging', w.area, w.point, w.point, begun,
    case when each.n > 19600 then 'firing' else 'resolved' end, 1 + each.n % 4, each.n % 50 = 0, false, 'raised', '20',
    '15', 'cm', 'simulated', 4, begun + interval '30 minutes', 1 + each.n % 4,
    case when each.n <= 19600 then begun + interval '1 hour' end
from (select n, current_setting('boards.until')::timestamptz - interval '2 minutes' * (20001 - n) as begun
    from generate_series(1, 20000) n) each
join watched w on w.n = 1 + each.n % (select count(*) from watched);

insert into alert_transition (alert, sequence, event_time, decided_at, valid_until, state, severity,
    stale, unverified, change, value, threshold, unit, rule_version, origin, topic, partition, position,
    evidence)
select al.id, k, al.onset + interval '10 minutes' * k, al.onset + interval '10 minutes' * k
    + interval '2 seconds', al.onset, 'firing', al.severity, false, false,
    (array['onset', 'confirmed', 'raised', 'lowered'])[k], '20', '15', 'cm', '1', 'simulated',
    'city.observation.v1', 0, k, '{}'
from alert al, generate_series(1, 4) k;

insert into outbox (sequence, topic, key, area, status, notify, content, numbered_at)
select row_number() over (order by t.decided_at, t.alert), 'city.alert.v1', t.alert, al.area, 'Test',
    true, jsonb_build_object('decided_ms', ms_of(t.decided_at)), t.decided_at + interval '1 second'
from alert_transition t join alert al on al.id = t.alert;

insert into incident
select md5('i' || each.n), 'Test', 'waterlogging', a.code, begun, begun + interval '2 hours', each.n % 5, 4,
    array[0, 1, 1, 1, 1], 4, 0, 3, null, case when each.n > 90 then begun + interval '6 hours' end, 9, each.n, each.n
from (select n, current_setting('boards.until')::timestamptz - interval '6 hours' * ((n - 1) / 90) - interval '1 hour'
    as begun from generate_series(1, 9000) n) each
join (select code, row_number() over (order by code) as n from area where level = 'county') a
    on a.n = 1 + (each.n - 1) % 90;
insert into incident_alert
select al.id, i.id, al.area, al.onset, al.ended, al.severity, null, null, null, al.severity, 4
from alert al join incident i on i.area = al.area and i.closed is null where al.state = 'firing';

insert into closure (area, link, state, exercise, alerts, sequence, since, due, created_at)
select al.area, 'road-' || row_number() over (order by al.id),
    case when al.state = 'resolved' then 'reopened' else 'confirmed' end, true, array[al.id], 3,
    al.updated, null, al.onset
from alert al where al.severity = 4 and al.id < '8';
insert into closure_step (closure, number, area, step, who, at, hazard)
select c.id, k, c.area, (array['advise', 'order', 'confirm'])[k], 'test', c.since, 'open'
from closure c, generate_series(1, 3) k;

insert into callout
select al.id, al.area, true, al.severity,
    '[{"level": "county", "answered_by": "a", "acting_by": null, "unreached": false}]'::jsonb, 2,
    null, al.id < '1', al.state = 'resolved', al.onset
from alert al where al.severity >= 3;

insert into official_warning
select md5('w' || each.n), 'met', each.n::text, sent, 'Alert', 'Test', 'cap', array['气象台'], '暴雨', '暴雨', 1 + each.n % 4,
    array[a.code], a.name, 'zh-CN', '暴雨预警', '', '', null, null, sent + interval '12 hours', true, '', array[]::text[],
    null, 'simulated', 'gw', sent, 'application/cap+xml', ''
from (select n, current_setting('boards.until')::timestamptz - interval '10 minutes' * n as sent
    from generate_series(1, 4000) n) each
join (select code, name, row_number() over (order by code) as n from area where level = 'county') a
    on a.n = 1 + each.n % 90;

insert into sensor_health
select w.sensor, w.property, day, 2880, 2800, 2790, 3, 24, 24, 60, 90 + w.n % 10
from generate_series(current_setting('boards.until')::timestamptz - interval '30 days',
    current_setting('boards.until')::timestamptz - interval '1 day', interval '1 day') day, watched w;

insert into observation_revision
select current_setting('boards.until')::timestamptz - interval '25 seconds' * k, w.sensor, w.property, 1, 1, k, 2, k
from generate_series(1, 100000) k join watched w on w.n = 1 + k % (select count(*) from watched);

insert into fact
select 'plan.13', a.code, 'state', 'epoch', 'epoch', r, '44.1', '15', '34', 34, 34, null, null, '%', '1', '{}', 'closed',
    current_setting('boards.until')::timestamptz - interval '1 day' * (31 - r),
    case when r < 30 then current_setting('boards.until')::timestamptz - interval '1 day' * (30 - r) end
from area a, generate_series(1, 30) r;
insert into fact
select kind, a.code, 'hour', hour, hour + interval '1 hour', 1, '1.5', '3', '2', 60, 60, null, null, '', '1', '{}', 'closed',
    hour, null
from area a, unnest(array['air.aqi.hour', 'traffic.tti.hour', 'weather.rain_mean.hour', 'shelter.occupants.hour']) kind,
    generate_series(current_setting('boards.until')::timestamptz - interval '30 days',
    current_setting('boards.until')::timestamptz - interval '1 hour', interval '1 hour') hour;

insert into area_risk (area, severity, led_by, unknown, stale_alerts, open_alerts, as_of, decided_at)
select code, 1, 'waterlogging', false, 0, 4, current_setting('boards.until')::timestamptz,
    current_setting('boards.until')::timestamptz from area;
insert into area_latest
select code, 'waterlogging', current_setting('boards.until')::timestamptz,
    current_setting('boards.until')::timestamptz, jsonb_build_object('watermark',
    ms_of(current_setting('boards.until')::timestamptz), 'silent', '[]'::jsonb)
from area where level = 'county';
insert into ledger (area, domain, source, received, stored, on_time)
select area, 'waterlogging', gateway, 864000, 864000, 864000 from point_sensor
join point on point.id = point_sensor.point group by area, gateway;
analyze;
