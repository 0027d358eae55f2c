"""The gateway over a log in memory: what it holds has a bound, and the log decides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, MutableMapping
from typing import Any

from tests.support.gateway_bench import (
    NOW_MS,
    GatedLog,
    bench,
    play,
    reading,
    turns,
)


def test_a_body_that_states_no_length_is_cut_off_while_reading() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100_000:
            sent += 1000
            yield b" " * 1000

    async def story() -> None:
        async with bench(request_bytes=2500) as b:
            answer = await b.client.post("/v1/readings", content=endless())
            assert answer.status_code == 413
            assert b.gateway.metrics.reading._value.get() == 0

    play(story)


def test_a_body_that_does_not_come_is_408() -> None:
    async def dripping() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async def story() -> None:
        async with bench(body_timeout_s=0.01) as b:
            answer = await b.client.post("/v1/readings", content=dripping())
            assert answer.status_code == 408
            assert b.gateway.metrics.reading._value.get() == 0
            assert b.gateway.metrics.in_progress._value.get() == 0

    play(story)


def test_a_client_that_goes_away_leaves_nothing_behind() -> None:
    async def story() -> None:
        async with bench() as b:
            inbox: Iterator[MutableMapping[str, Any]] = iter(
                [
                    {"type": "http.request", "body": b"{", "more_body": True},
                    {"type": "http.disconnect"},
                ]
            )
            sent: list[MutableMapping[str, Any]] = []

            async def receive() -> MutableMapping[str, Any]:
                return next(inbox)

            async def send(message: MutableMapping[str, Any]) -> None:
                sent.append(message)

            scope = {
                "type": "http",
                "method": "POST",
                "path": "/v1/readings",
                "headers": [],
                "query_string": b"",
                "root_path": "",
                "scheme": "http",
                "http_version": "1.1",
            }
            await b.app(scope, receive, send)
            assert sent[0]["status"] == 400
            assert b.gateway.metrics.reading._value.get() == 0

    play(story)


def test_requests_beyond_the_bound_are_503_before_their_body_is_read() -> None:
    async def story() -> None:
        async with bench(GatedLog(open=False), requests=2) as b:
            first = [asyncio.create_task(b.post(reading("s1", i))) for i in range(2)]
            await turns()
            answer = await b.client.post("/v1/readings", content=b"not even JSON")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
            b.log.gate.set()
            assert [(await task).status_code for task in first] == [200, 200]

    play(story)


def test_bodies_beyond_the_bytes_of_all_clients_are_503() -> None:
    async def story() -> None:
        async with bench(request_bytes=2048, reading_bytes=2048) as b:
            more = asyncio.Event()

            async def half() -> AsyncIterator[bytes]:
                yield b" " * 2000
                await more.wait()

            first = asyncio.create_task(b.client.post("/v1/readings", content=half()))
            await turns()
            assert (await b.post(reading())).status_code == 503
            more.set()
            assert (await first).status_code == 400
            assert (await b.post(reading())).status_code == 200

    play(story)


def test_a_body_is_not_held_while_its_readings_wait_for_the_log() -> None:
    async def story() -> None:
        async with bench(GatedLog(open=False)) as b:
            waiting = asyncio.create_task(b.post(reading()))
            await turns()
            assert b.gateway.collector.rows == 1
            assert b.gateway.metrics.reading._value.get() == 0
            b.log.gate.set()
            assert (await waiting).status_code == 200

    play(story)


def test_the_answer_waits_for_the_log() -> None:
    async def story() -> None:
        async with bench(GatedLog(open=False)) as b:
            waiting = asyncio.create_task(b.post(reading()))
            await turns()
            assert not waiting.done()
            b.log.gate.set()
            assert (await waiting).status_code == 200
            assert sum(map(len, b.frames())) == 1

    play(story)


def test_a_log_that_fails_for_a_moment_is_tried_again() -> None:
    async def story() -> None:
        async with bench() as b:
            b.log.failures = 2
            assert (await b.post(reading())).status_code == 200
            assert b.gateway.collector.failing is None

    play(story)


def test_a_log_that_keeps_failing_is_503_and_shows_in_health() -> None:
    async def story() -> None:
        async with bench(append_timeout_s=0.01) as b:
            b.log.failures = 1
            answer = await b.post(reading())
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "2"
            assert (await b.client.get("/health")).status_code == 503
            assert (await b.post(reading())).status_code == 200
            health = await b.client.get("/health")
            assert (health.status_code, health.json()["waiting_rows"]) == (200, 0)

    play(story)


def test_overload_is_refused_and_memory_stays_bounded() -> None:
    """A log that takes nothing, 400 clients at once: what is held never passes its bounds."""

    async def story() -> None:
        limits: dict[str, Any] = {
            "waiting_rows": 300,
            "source_rows": 200,
            "request_readings": 10,
            "requests": 64,
        }
        async with bench(GatedLog(open=False), **limits) as b:
            most = 0

            async def client(number: int) -> tuple[int, int]:
                nonlocal most
                sensor, gateway = (("foreign", "other"), ("s1", "gw"), ("s1", "gw"))[number % 3]
                rows = [reading(sensor, number, time=NOW_MS + 10 * number + i) for i in range(10)]
                answer = await b.post(*rows, gateway=gateway)
                most = max(most, b.gateway.collector.rows)
                return answer.status_code, answer.json().get("accepted", 0)

            clients = [asyncio.create_task(client(number)) for number in range(400)]
            async with asyncio.timeout(20):
                while sum(task.done() for task in clients) < 400 - 30:
                    await asyncio.sleep(0)
            assert b.gateway.collector.rows == 300
            b.log.gate.set()
            answers = await asyncio.gather(*clients)
            statuses = [status for status, _ in answers]
            assert set(statuses) == {200, 429, 503}
            assert most <= 300
            assert statuses.count(200) == 30
            assert sum(map(len, b.frames())) == sum(accepted for _, accepted in answers) == 300
            assert b.gateway.collector.rows == 0
            metrics = (await b.client.get("/metrics")).text
            assert "citybrain_gateway_waiting_rows 0.0" in metrics
            assert "citybrain_gateway_accepted_total 300.0" in metrics

    play(story)


def test_one_gateway_cannot_take_the_room_of_all() -> None:
    async def story() -> None:
        limits: dict[str, Any] = {"waiting_rows": 20, "source_rows": 10, "request_readings": 10}
        async with bench(GatedLog(open=False), **limits) as b:
            first = asyncio.create_task(b.post(*[reading("s1")] * 10))
            await turns()
            too_many = await b.post(reading("s1"))
            assert (too_many.status_code, too_many.headers["retry-after"]) == (429, "2")
            other = asyncio.create_task(b.post(reading("foreign"), gateway="other"))
            await turns()
            assert not other.done()
            b.log.gate.set()
            assert {(await first).status_code, (await other).status_code} == {200}

    play(story)


def test_what_waits_is_appended_before_the_gateway_ends() -> None:
    async def story() -> None:
        log = GatedLog(open=False)
        async with bench(log) as b:
            waiting = asyncio.create_task(b.post(reading()))
            await turns()
        assert (await waiting).status_code == 200
        assert sum(map(len, b.frames())) == 1

    play(story)


def test_a_bug_answers_everybody_and_ends_the_gateway() -> None:
    async def story() -> None:
        async with bench(GatedLog(open=False)) as b:
            b.log.bug = RuntimeError("a bug")
            first = asyncio.create_task(b.post(reading()))
            await turns()
            second = asyncio.create_task(b.post(reading()))
            await turns()
            b.log.gate.set()
            assert [(await first).status_code, (await second).status_code] == [503, 503]
            assert (await b.post(reading())).status_code == 503
            assert (await b.client.get("/health")).status_code == 503
            assert b.bugs == ["bug"]

    play(story)
