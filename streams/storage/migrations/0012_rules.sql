-- A third kind of version: the rule set of a city.

alter table config_version drop constraint config_version_kind_check;
alter table config_version add constraint config_version_kind_check
    check (kind in ('registry', 'profile', 'rules'));
