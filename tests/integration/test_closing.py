"""A close by hand from the API through the log and back: real log, worker, store and webhook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import pytest

from api.access.role import ALL, Role
from api.actions.actor import Actor, NotAllowed
from api.actions.advance import advance
from api.actions.alert_action import Given
from api.actions.closing import Taken, close
from api.actions.expected import Overtaken
from api.actions.log_door import LogDoor
from api.actions.refusal import Conflict, Unknown
from api.app import create_app
from deploy.process import wait_until
from streams.contracts.closing import Close, Ending
from streams.contracts.codec import decode, encode, encode_control, encode_tick
from streams.contracts.frame import Record
from streams.contracts.reason import LogKind, NamespaceKind
from streams.errors import Unavailable
from streams.log import OBSERVATION_TOPIC, Entry, Log
from streams.log.catalogue import topic_name
from streams.log.kafka import KafkaLog
from streams.log.opening import open_log
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.settings import Settings
from streams.storage.alerts import write_transitions
from streams.storage.canonical import canonical_dump, differences
from streams.storage.connect import connect
from streams.storage.migrate import REGION_TOPIC, drop_namespace, migrate
from streams.storage.registry import save_registry
from streams.storage.sequencer import number_outbox
from tests.support.actors import COMMANDER, OPERATOR
from tests.support.admission import as_person, make_account, make_session
from tests.support.api_client import get
from tests.support.deliveries import delivering, states, subscribe, transition
from tests.support.namespace import copy_log
from tests.support.receiver import receiving
from tests.support.served import served
from tests.support.small_city import COUNTIES, DOMAINS, frame_of, registry
from tests.support.timeline import moment

pytestmark = [pytest.mark.integration, pytest.mark.every_store]

COUNTY = COUNTIES[0]
NOW = datetime(2026, 8, 17, 2, 2, tzinfo=UTC)
FALSE = {"action": "close", "ending": "false_alarm", "note": "the gauge was being cleaned"}
GIVEN = Given("the gauge was being cleaned", ending=Ending.FALSE_ALARM)


class Died(Exception):
    """Stands for a kill between two steps."""


class City:
    """A live namespace with the real domains, whose worker runs when the test says so."""

    def __init__(self, conninfo: str, namespace: str) -> None:
        self.conninfo, self.namespace = conninfo, namespace
        migrate(conninfo, namespace, NamespaceKind.LIVE, domains=DOMAINS, partitions=2)
        with connect(conninfo, namespace) as connection:
            held = save_registry(connection, registry(2))
        self.log = PostgresLog(conninfo, namespace)
        for partition in range(2):
            self.log.append(partition, [encode_control("registry", held.version, moment("09:00"))])
        self.connection = connect(conninfo, namespace, "citybrain test", autocommit=True)

    def open_log(self, namespace: str) -> Log:
        return PostgresLog(self.conninfo, namespace)

    def depth(self, at: str, metres: float) -> None:
        rows = [(f"{COUNTY}-p0", "depth", moment(at), metres)]
        frame = frame_of(COUNTY, "waterlogging", moment(at), moment(at) + 1000, rows)
        self.log.append(0, [encode(frame)])

    def tick(self, at: str) -> None:
        for partition in range(2):
            self.log.append(partition, [encode_tick(moment(at))])

    def work(self) -> None:
        """The worker takes all that there is."""
        with worker_host(self.conninfo, self.namespace, DOMAINS) as host:
            host.run_until_idle()
        number_outbox(self.connection)
        while advance(self.connection, NOW).more:
            pass

    def flood(self) -> str:
        """An orange alert at 10:01; gives its id."""
        self.depth("10:00", 0.31)
        self.depth("10:01", 0.31)
        self.work()
        return str(self.one("select id from alert where rule = 'waterlogging.depth'"))

    def append(self, partition: int, record: Entry) -> None:
        self.log.append(partition, [record])

    def close(self, alert: str, by: Actor = COMMANDER, **given: Any) -> Taken:
        return close(self.connection, given.pop("append", self.append), by, NOW, alert, GIVEN,
                     **given)  # fmt: skip

    def rows(self, statement: Any, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement, values).fetchall()

    def one(self, statement: Any, *values: Any) -> Any:
        return self.rows(statement, *values)[0][0]

    def changes(self, alert: str) -> list[str]:
        return [
            row[0]
            for row in self.rows(
                "select change from alert_transition where alert = %s order by sequence", alert
            )
        ]


@pytest.fixture
def city(database_url: str, namespace: str) -> Iterator[City]:
    made = City(database_url, namespace)
    yield made
    made.connection.close()
    made.log.close()


@pytest.fixture
def client(city: City) -> Iterator[httpx.Client]:
    yield from _client(city, city.open_log)


def _client(city: City, opener: Callable[[str], Log] | None) -> Iterator[httpx.Client]:
    app = create_app(city.conninfo, city.namespace, DOMAINS, open_log=opener)
    make_account(city.conninfo, city.namespace, "boss", (Role.COMMANDER, ALL))
    with served(app) as found:
        found.headers.update(as_person(make_session(city.conninfo, city.namespace, "boss")))
        yield found


def test_a_close_ends_the_alert_for_everybody(city: City, client: httpx.Client) -> None:
    with receiving() as receiver:
        subscribe(city.conninfo, city.namespace, receiver.url())
        alert = city.flood()
        cursor = get(client, "/v1/alerts")["cursor"]
        path = f"/v1/alerts/{alert}/actions"
        said = client.post(path, json=FALSE)
        assert said.status_code == 202
        assert said.json()["outcome"] == "closing"
        shown = get(client, f"/v1/alerts/{alert}")["alert"]
        assert (shown["state"], shown["acted"]["close_state"]) == ("firing", "closing")
        assert client.post(path, json=FALSE).status_code == 200, "asked again"
        other = FALSE | {"ending": "closed_by_hand"}
        assert client.post(path, json=other).status_code == 409
        city.work()
        shown = get(client, f"/v1/alerts/{alert}")
        assert (shown["alert"]["state"], shown["alert"]["change"]) == ("resolved", "closed")
        assert shown["alert"]["acted"]["close_state"] == "closed"
        told = shown["transitions"][-1]["evidence"]
        assert told == {
            "by": "account:boss", "as": "false_alarm", "reason": "the gauge was being cleaned",
        }  # fmt: skip
        assert client.post(path, json=FALSE).status_code == 200
        assert [i["outcome"] for i in get(client, path)["items"]] == ["closed"]
        events = get(client, "/v1/events", after=cursor, change="closed")["events"]
        assert [e["alert"]["alert"] for e in events] == [alert]
        with delivering(city.conninfo, city.namespace):
            assert wait_until(
                lambda: set(states(city.conninfo, city.namespace)) == {"sent"}, 15.0, 0.05
            )
        last = [r.content["data"] for r in receiver.alerts() if r.content["data"]["alert"] == alert]
        assert (last[-1]["change"], last[-1]["evidence"]["as"]) == ("closed", "false_alarm")
    assert city.one("select bool_and(ended) from callout where alert = %s", alert)
    feed = client.get("/v1/cap/feed").text
    assert "ended" in feed or "解除" in feed
    number = city.one("select max(sequence) from alert_transition where alert = %s", alert)
    message = client.get(f"/v1/cap/{city.namespace}-{alert}-{number}").text
    assert "<msgType>Cancel</msgType>" in message
    assert "false alarm" in message
    assert "AllClear" not in message


def test_the_same_water_stays_closed_over_a_restart_and_in_a_rebuild(
    city: City, make_namespace: Callable[[], str]
) -> None:
    alert = city.flood()
    city.close(alert)
    city.work()
    city.depth("10:02", 0.31)
    city.depth("10:03", 0.45)
    city.work()
    assert city.one("select count(*) from alert where rule = 'waterlogging.depth'") == 1
    city.depth("10:04", 0.52)
    city.depth("10:05", 0.52)
    city.work()
    red = city.rows(
        "select id, severity, state from alert where rule = 'waterlogging.depth' and id <> %s",
        alert,
    )
    assert [row[1:] for row in red] == [(4, "firing")]
    again = make_namespace()
    migrate(city.conninfo, again, NamespaceKind.LIVE, domains=DOMAINS, partitions=2)
    copy_log(city.conninfo, city.namespace, again)
    with worker_host(city.conninfo, again, DOMAINS, max_records=1) as host:
        host.run_until_idle()
    with connect(city.conninfo, city.namespace) as one, connect(city.conninfo, again) as other:
        found = differences(canonical_dump(one), canonical_dump(other))
    assert not found


def gone(_: str) -> Log:
    """The log does not answer."""
    raise Unavailable("connection refused")


@pytest.mark.parametrize("opener", [gone, None])
def test_without_the_log_nothing_is_done(city: City, opener: Callable[[str], Log] | None) -> None:
    alert = city.flood()
    for client in _client(city, opener):
        said = client.post(f"/v1/alerts/{alert}/actions", json=FALSE)
        assert said.status_code == 503
        assert "log" in said.json()["detail"]
        shown = get(client, f"/v1/alerts/{alert}")["alert"]
        assert shown["acted"] is None or shown["acted"]["closed_as"] is None
    assert city.one("select count(*) from alert_action") == 0
    assert city.one("select count(*) from audit where what = 'alert.close'") == 0


def test_a_death_before_the_record_leaves_nothing_and_after_it_the_row_is_made_up(
    city: City,
) -> None:
    alert = city.flood()

    def die_before(_: int, __: Entry) -> None:
        raise Died

    with pytest.raises(Died):
        city.close(alert, append=die_before)
    city.work()
    assert "closed" not in city.changes(alert)

    def die_after(partition: int, record: Entry) -> None:
        city.append(partition, record)
        raise Died

    with pytest.raises(Died):
        city.close(alert, append=die_after)
    assert city.one("select count(*) from alert_action") == 0
    city.work()
    assert city.changes(alert)[-1] == "closed"
    assert city.rows("select number, who, ending, note, sent from alert_action") == [
        (1, COMMANDER.who, "false_alarm", "the gauge was being cleaned", True)
    ]
    assert city.one("select count(*) from audit where what = 'alert.close'") == 1
    assert city.close(alert) == Taken(1, new=False)
    city.work()
    assert city.changes(alert).count("closed") == 1


def test_what_ended_or_rose_meanwhile_is_answered(city: City) -> None:
    """The worker is down: the close waits in the log behind what the person has not seen."""
    alert = city.flood()
    for minute in range(2, 16):
        city.depth(f"10:{minute:02d}", 0.0)
    city.tick("10:20")
    city.close(alert)
    assert city.rows("select close_state from alert_with_actions where closed_as is not null") == [
        ("closing",)
    ]
    city.work()
    assert city.changes(alert)[-1] == "cleared"
    assert city.rows("select close_state from alert_with_actions where closed_as is not null") == [
        ("not_open",)
    ]
    city.depth("10:30", 0.31)
    city.depth("10:31", 0.31)
    city.work()
    (next_one,) = city.rows(
        "select id from alert where rule = 'waterlogging.depth' and id <> %s", alert
    )
    for minute in (32, 33):
        city.depth(f"10:{minute}", 0.55)
    city.close(next_one[0])
    city.work()
    assert city.rows("select verdict from alert_close where alert = %s", next_one[0]) == [
        ("risen",)
    ]
    assert city.one("select severity from alert where id = %s", next_one[0]) == 4
    assert city.one("select closed_as from alert_with_actions where id = %s", next_one[0]) is None
    assert city.close(next_one[0]).new, "who has seen red may close red"


def test_who_may_and_what_is_there_is_asked_as_before(city: City) -> None:
    alert = city.flood()
    with pytest.raises(NotAllowed):
        city.close(alert, OPERATOR)
    with pytest.raises(Overtaken):
        city.close(alert, expected=3)
    with pytest.raises(Unknown):
        city.close("nobody")
    for minute in range(2, 16):
        city.depth(f"10:{minute:02d}", 0.0)
    city.work()
    with pytest.raises(Conflict, match="ended"):
        city.close(alert)


def test_an_alert_of_a_city_is_closed_through_the_log_of_one_of_its_areas(city: City) -> None:
    city.work()
    told = transition("c", area="330200", point=None, subject="area:330200")
    with connect(city.conninfo, city.namespace) as connection:
        write_transitions(connection.cursor(), NamespaceKind.LIVE, REGION_TOPIC, 0, [told])
    sent: list[tuple[int, Entry]] = []
    city.close("c", append=lambda partition, record: sent.append((partition, record)))
    ((partition, (headers, body)),) = sent
    record = decode(Record(0, 0, headers, body))
    assert isinstance(record, Close)
    assert (record.area, record.region, record.subject) == ("330203", True, "area:330200")
    assert partition == 0
    city.append(partition, (headers, body))
    city.tick("10:00")
    city.tick("10:01")
    city.work()
    assert city.rows("select verdict, topic from alert_close") == [("not_open", "region")], (
        "it was made up: the region stage answers"
    )


def test_an_old_close_that_only_stood_beside_the_alert_can_be_said_again(city: City) -> None:
    alert = city.flood()
    city.close(alert, append=lambda *_: None)
    city.rows("update alert_action set sent = false returning 1")
    assert city.one("select close_state from alert_with_actions where id = %s", alert) == "beside"
    assert city.close(alert) == Taken(2, new=True)
    city.work()
    assert city.changes(alert)[-1] == "closed"


def test_where_the_log_is_in_kafka_the_close_goes_there(
    database_url: str, kafka_settings: Settings, make_kafka_namespace: Callable[..., str]
) -> None:
    name = make_kafka_namespace(2)
    migrate(database_url, name, NamespaceKind.DRILL, partitions=2, log=LogKind.KAFKA)
    try:
        with connect(database_url, name, "citybrain test", autocommit=True) as connection:
            write_transitions(
                connection.cursor(), NamespaceKind.DRILL, OBSERVATION_TOPIC, 1, [transition("k")]
            )
            with closing(LogDoor(partial(open_log, kafka_settings, database=database_url))) as door:
                close(connection, partial(door.append, name), COMMANDER, NOW, "k", GIVEN)
            assert connection.execute("select sent from alert_action").fetchall() == [(True,)]
        with closing(KafkaLog(kafka_settings, topic_name(name))) as log:
            assert log.end(0) == 0
            (record,) = log.read(1, 0)
        found = decode(record)
        assert isinstance(found, Close)
        assert (found.alert, found.by, found.severity) == ("k", COMMANDER.who, 3)
    finally:
        drop_namespace(database_url, name, topics_removed=True)
