"""A domain dropped into a folder works from a sensor's POST to the API, with no edit elsewhere."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

import tests.support.toy_domain as outside
from sensors.gateway.app import Gateway as RunningGateway
from sensors.gateway.app import GatewayParts, create_app, running
from sensors.gateway.settings import GatewaySettings, KeyRule
from sensors.gateway.stored import StoredRegistry
from streams.catalog import Area, Gateway, Registry, Sensor
from streams.contracts.codec import encode_control
from streams.contracts.domain import Domain, Point
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.settings import load_settings
from streams.storage.connect import connect
from streams.storage.registry import save_registry
from tests.support.admission import api_served
from tests.support.api_client import get
from tests.support.namespace import make_namespace as migrated

AREA = "330106"
ROOT = Path(__file__).resolve().parents[2]
assert outside.__file__ is not None
TOY = Path(outside.__file__).parent


def registry() -> Registry:
    """One county with a noise meter behind a gateway."""
    return Registry(
        areas={
            "330000": Area("330000", "province", None, "浙江省", "Zhejiang"),
            "330100": Area("330100", "city", "330000", "杭州市", "Hangzhou"),
            AREA: Area(AREA, "county", "330100", "西湖区", "Xihu"),
        },
        points={"n1": Point("n1", "noise_meter", AREA, "文三路", 120.13, 30.28, {})},
        sensors={"n1-s": Sensor(0, "n1-s", "n1", "gw", ("sound_level",))},
        gateways={"gw": Gateway("gw", AREA)},
        partitions={AREA: 0},
        partition_count=1,
    )


@pytest.fixture
def domains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Domain]:
    """The project's domains and the toy, found as a running program finds them."""
    folder = tmp_path / "our domains"
    shutil.copytree(TOY / "noise", folder / "noise", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("CITYBRAIN_DOMAIN_PATH", json.dumps([str(folder)]))
    found = dict(find_domains(load_settings().domain_path))
    assert set(found) == {*find_domains(), "noise"}
    return found


@pytest.mark.integration
@pytest.mark.acceptance
def test_from_sensor_to_api(
    database_url: str, make_namespace: Callable[[], str], domains: dict[str, Domain]
) -> None:
    name = migrated(database_url, make_namespace(), NamespaceKind.LIVE, domains, 1)
    activate(database_url, name)
    now = datetime.now(UTC).replace(microsecond=0)
    times = [now - timedelta(seconds=s) for s in (180, 120, 60)]
    answer = post(database_url, name, domains, dict(zip(times, (60.5, 88.2, 90.1), strict=True)))
    assert answer == {"accepted": 3, "refused": []}
    with worker_host(database_url, name, domains) as host:
        host.run_until_idle()
    with api_served(database_url, name, domains) as client:
        (point,) = get(client, "/v1/points")["items"]
        assert (point["id"], point["type"]) == ("n1", "noise_meter")
        (alert,) = get(client, "/v1/alerts")["items"]
        assert (alert["rule"], alert["point"], alert["state"]) == ("noise.level", "n1", "firing")
        assert alert["severity"]["name"] == "orange"
        readings = get(client, "/v1/readings", property="sound_level", point="n1")["readings"]
        assert [r["value"]["text"] for r in readings] == ["60.5", "88.2", "90.1"]


def activate(conninfo: str, namespace: str) -> None:
    """Stores the registry and puts its activation into the log."""
    with connect(conninfo, namespace) as connection:
        version = save_registry(connection, registry()).version
    at_ms = int(datetime.now(UTC).timestamp() * 1000)
    with closing(PostgresLog(conninfo, namespace)) as log:
        log.append(0, [encode_control("registry", version, at_ms)])


def post(
    conninfo: str, namespace: str, domains: dict[str, Domain], levels: dict[datetime, float]
) -> dict[str, object]:
    """Sends the sound levels to a gateway in this process, one request for each."""
    log, source = PostgresLog(conninfo, namespace), StoredRegistry(conninfo, namespace)

    async def send() -> dict[str, object]:
        own = GatewaySettings(linger_ms=1, keys=KeyRule.OPTIONAL)
        app = create_app(GatewayParts(log, source, domains, own))
        gateway: RunningGateway = app.state.gateway
        transport = httpx.ASGITransport(app)
        async with (
            running(gateway),
            httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
        ):
            readings = [
                {"sensor": "n1-s", "property": "sound_level", "time": t.isoformat(), "value": v}
                for t, v in levels.items()
            ]
            body = {"gateway": "gw", "readings": readings}
            answer = await client.post("/v1/readings", json=body)
            assert answer.status_code == 200, answer.text
            return dict(answer.json())

    with closing(log), closing(source):
        return asyncio.run(send())


def test_the_manual_shows_the_toy_as_it_is() -> None:
    """The code in docs/adding-a-domain.md is the toy's file, to the letter."""
    manual = (ROOT / "docs" / "adding-a-domain.md").read_text(encoding="utf-8")
    shown = re.findall(r"```python\n# noise/__init__\.py\n(.*?)```", manual, re.DOTALL)
    assert shown == [(TOY / "noise" / "__init__.py").read_text(encoding="utf-8")]
