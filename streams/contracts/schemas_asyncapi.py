"""The AsyncAPI 3 document: topics as channels, what the platform receives and sends on them."""

from __future__ import annotations

from typing import Any

from streams.contracts.topics import TOPICS, Direction, Topic

ASYNCAPI_VERSION = "3.1.0"
SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
_KAFKA_BINDING = "0.5.0"
_TITLES = {
    "frame": "Frame: readings of one area and domain, as columns",
    "reading": "A single reading",
    "tick": "Tick: time has passed",
    "control": "Activation of a registry or profile version",
    "warning": "An official warning",
    "close": "An alert is closed by hand",
    "refusal": "What a gateway refused without an answer",
    "alert": "Alert after a transition",
    "fact": "Fact, one revision",
    "deadletter": "Refused record or row",
}
_CONTENT_TYPES = {"frame": "application/msgpack", "refusal": "application/octet-stream"}


def build_asyncapi() -> dict[str, Any]:
    """The document. Payload schemas are the files beside it."""
    names = sorted({name for topic in TOPICS for name in topic.messages})
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {
            "title": "citybrain topics",
            "version": "1.0.0",
            "description": "Events that citybrain receives and sends, as CloudEvents 1.0 in "
            "binary mode. A breaking change is a `.v2` topic beside `.v1`.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_id(topic): _channel(topic) for topic in TOPICS},
        "operations": {_operation_id(topic): _operation(topic) for topic in TOPICS},
        "components": {"messages": {name: _message(name) for name in names}},
    }


def _id(topic: Topic) -> str:
    return topic.name.replace(".", "-")


def _operation_id(topic: Topic) -> str:
    return f"{topic.direction.value}-{_id(topic)}"


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "title": topic.title,
        "description": f"Key: {topic.key}. Partition: {topic.partitioning}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in topic.messages},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {
                    name: value
                    for name, value in topic.configuration().items()
                    if name in ("cleanup.policy", "retention.ms")
                },
                "bindingVersion": _KAFKA_BINDING,
            }
        },
        "x-message-timestamp-type": topic.timestamp,
    }


def _operation(topic: Topic) -> dict[str, Any]:
    channel = f"#/channels/{_id(topic)}"
    return {
        "action": topic.direction.value,
        "channel": {"$ref": channel},
        "summary": ("Takes: " if topic.direction is Direction.IN else "Sends: ") + topic.title,
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in topic.messages],
    }


def _message(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "title": _TITLES[name],
        "contentType": _CONTENT_TYPES.get(name, "application/json"),
        "headers": _reference("headers"),
        "payload": _reference(name),
    }


def _reference(name: str) -> dict[str, Any]:
    return {"schemaFormat": SCHEMA_FORMAT, "schema": {"$ref": f"./{name}.schema.json"}}
