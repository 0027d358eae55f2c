-- What a run means, free of how it was run: no serials, no wall times, no log positions, ids by name.
-- One query per name; the columns of each are compared as a multiset.

-- name: observation
select s.name, p.name, o.t, o.value, o.flag
from observation o join sensor s on s.id = o.sensor join property p on p.id = o.property;

-- name: observation_revision
select s.name, p.name, r.t, r.old_value, r.old_flag, r.value
from observation_revision r join sensor s on s.id = r.sensor join property p on p.id = r.property;

-- name: observation_window
select w.size_s, s.name, p.name, w.start, w.n, w.bad, w.total, w.low, w.high
from observation_window w join sensor s on s.id = w.sensor join property p on p.id = w.property;

-- name: alert
select id, rule, rule_version, domain, area, point, subject, onset, state, severity, stale,
       unverified, change, value, threshold, unit, origin, sequence, updated, peak_severity, ended,
       suppressed_by, held_severity, held_until
from alert;

-- name: alert_transition
select alert, sequence, event_time, state, severity, stale, unverified, change, value, threshold,
       unit, rule_version, origin, evidence, completeness, suppressed_by, held
from alert_transition;

-- name: alert_late
select l.rule, l.subject, l.episode, l.kind, l.alert, l.area, l.readings, l.first_time,
       l.first_value, l.worst_time, l.worst_value, l.unit, l.threshold, l.severity, s.name, p.name
from alert_late l join sensor s on s.id = l.sensor join property p on p.id = l.property;

-- name: alert_close
select alert, number, verdict, area from alert_close;

-- name: outbox
select topic, key, area, status, notify, content
from outbox;

-- name: point_result
select kind, point, start, period_s, payload
from point_result;

-- name: episode
select id, kind, area, point, start, "end", payload
from episode;

-- name: ticket
select t.area, s.name, t.subject, t.property, t.kind, t.opened, t.closed, t.evidence
from ticket t left join sensor s on s.id = t.sensor;

-- name: sensor_health
select s.name, p.name, h.day_start, h.expected, h.received, h.good, h.late, h.intervals, h.covered,
       h.gap_s, h.score
from sensor_health h join sensor s on s.id = h.sensor join property p on p.id = h.property;

-- name: ledger
select area, domain, source, received, rejected, quarantined, duplicate, stored, on_time, late,
       revised
from ledger;

-- name: quarantine
select reason, area, domain, source, sensor, property, t, ingest, value
from quarantine;

-- name: dead_letter
select reason, detail, row, source, area, domain, content
from dead_letter;

-- How often a figure was revised depends on when the recomputer ran; what it says now does not.
-- name: fact
select indicator, area, period, start, "end", value, numerator, denominator, have, want, lower,
       upper, unit, method, detail
from fact where known_to is null;

-- name: area_latest
select area, domain, as_of, payload
from area_latest;

-- name: area_risk
select area, severity, led_by, unknown, stale_alerts, open_alerts, as_of, detail
from area_risk;

-- name: official_warning
select id, sender, identifier, sent, kind, status, form, issuers, event, type, severity, areas,
       headline, effective, onset, expires, series, refers, geometry, origin, source, original
from official_warning;
