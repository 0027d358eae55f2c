"""Writes records to topics, fast: reads msgpack arrays (topic, partition, key, body, time, headers)
from its input and ends when all are acknowledged. Exit code 1 when one was not."""

from __future__ import annotations

import sys

import msgpack
from confluent_kafka import KafkaError, Message, Producer

OPTIONS = {
    "linger.ms": 20,
    "batch.size": 500_000,
    "queue.buffering.max.messages": 500_000,
    "enable.idempotence": True,
    "compression.type": "none",
}


def main() -> int:
    producer = Producer({"bootstrap.servers": sys.argv[1], **OPTIONS})
    failed: list[str] = []

    def acknowledged(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failed.append(str(error))

    for topic, partition, key, body, time_ms, headers in msgpack.Unpacker(sys.stdin.buffer):
        while True:
            try:
                producer.produce(
                    topic,
                    body,
                    key,
                    partition,
                    timestamp=time_ms,
                    headers=[(name, value) for name, value in headers],
                    on_delivery=acknowledged,
                )
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    producer.flush()
    if failed:
        print(f"{len(failed)} records were not written, first: {failed[0]}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
