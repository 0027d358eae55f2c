-- What people were told of incidents, by subscription.

create table incident_told (
    subscription text not null,
    incident text not null references incident,
    severity smallint not null,            -- as the newest message said
    at timestamptz not null,               -- by the wall clock
    over boolean not null,                 -- that it is over
    upto bigint not null,                  -- the message tells what is numbered up to here
    primary key (subscription, incident)
);
create index incident_told_open on incident_told (incident) where not over;
