"""Topics of devices, and how a message is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.gateway.decoding import NDJSON
from sensors.gateway.mqtt.broker import Message
from sensors.gateway.mqtt.door import read_how
from sensors.gateway.mqtt.topic import DeviceTopic, Kind, read_topic, subscriptions
from streams.contracts.frame import JSON
from streams.contracts.reason import Reason
from streams.errors import InvalidEvent

ROOT = "cb/v1"


def message(body: bytes, content_type: str | None = None, **properties: str) -> Message:
    named = {name.replace("_", "-"): value for name, value in properties.items()}
    return Message("t", body, 1, False, content_type, named, None, None, 1, 1)


def test_a_topic_is_read() -> None:
    found = read_topic(ROOT, "cb/v1/330106/waterlogging/%2Fgw%2F1/observation")
    assert found == DeviceTopic("330106", "waterlogging", "/gw/1", Kind.OBSERVATION)


@pytest.mark.parametrize(
    "topic",
    [
        "cb/v2/330106/air/d/observation",
        "cb/v1/330106/air/d",
        "cb/v1/330106/air/d/observation/more",
        "cb/v1/3301/air/d/observation",
        "cb/v1/330106/Air/d/observation",
        "cb/v1/330106/air//observation",
        "cb/v1/330106/air/%ff/observation",
        "cb/v1/330106/air/%00/observation",
        "cb/v1/330106/air/d/command",
        "",
    ],
)
def test_any_other_topic_is_refused_with_its_reason(topic: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        read_topic(ROOT, topic)
    assert caught.value.reason is Reason.BAD_HEADERS


NAMES = st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1, max_size=40)


@given(NAMES, st.sampled_from(Kind))
def test_every_name_of_a_device_fits_into_a_topic(name: str, kind: Kind) -> None:
    topic = DeviceTopic("330106", "air", name, kind)
    text = topic.write(ROOT)
    assert not set(text) & set("+#")
    assert text.count("/") == 5
    assert read_topic(ROOT, text) == topic


@given(st.text(max_size=80))
def test_whatever_the_topic_it_is_read_or_has_a_reason(text: str) -> None:
    assert outcome(text) in ("read", Reason.BAD_HEADERS)


def outcome(text: str) -> Reason | str:
    try:
        read_topic(ROOT, text)
    except InvalidEvent as error:
        return error.reason
    return "read"


def test_the_subscription_covers_every_kind_and_can_be_shared() -> None:
    assert subscriptions(ROOT) == tuple(
        f"cb/v1/+/+/+/{k}" for k in ("observation", "event", "status")
    )
    assert subscriptions(ROOT, "g")[0] == "$share/g/cb/v1/+/+/+/observation"


@pytest.mark.parametrize(
    ("body", "read_as"),
    [
        (b'{"readings": []}', JSON),
        (b'{"sensor": "s", "property": "depth", "time": 1, "value": 2}', NDJSON),
        (b'{"sensor": "a"}\n{"sensor": "b"}', NDJSON),
        (b"not json", JSON),
        (b"", JSON),
    ],
)
def test_json_is_a_batch_or_readings_one_a_line(body: bytes, read_as: str) -> None:
    assert read_how(message(body)) == (read_as, {})


def test_what_the_sender_states_goes_before() -> None:
    assert read_how(message(b"[]", "application/senml+json")) == ("application/senml+json", {})


def test_cloudevents_attributes_are_user_properties() -> None:
    kind, headers = read_how(message(b"{}", JSON, specversion="1.0", id="1", ce_source="/zj/1"))
    assert kind == JSON
    assert headers == {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/zj/1"}


def test_other_user_properties_make_no_event() -> None:
    assert read_how(message(b'{"readings": []}', trace="1")) == (JSON, {})
