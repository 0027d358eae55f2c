"""Our alerts as CAP over HTTP: every message valid by the schema, and a feed that finds them."""

from __future__ import annotations

import io

import httpx
import pytest
import xmlschema
from lxml import etree

from streams.contracts.cap.model import MsgType, Status
from streams.contracts.cap.read import read
from tests.support.seed import Seeded
from tests.support.shared_data import shared_data

pytestmark = pytest.mark.integration
pytest_plugins = ["tests.support.seeded"]

ATOM = "{http://www.w3.org/2005/Atom}"


def entries(client: httpx.Client, **filters: str | int) -> list[etree._Element]:
    answer = client.get("/v1/cap/feed", params=filters)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/atom+xml"
    return list(etree.fromstring(answer.content).iter(f"{ATOM}entry"))


def links(found: list[etree._Element]) -> list[str]:
    return [entry.find(f"{ATOM}link").get("href") for entry in found]


def test_every_message_of_the_feed_is_valid(client: httpx.Client) -> None:
    schema = xmlschema.XMLSchema(str(shared_data("cap") / "schema" / "cap12.xsd"))
    paths = links(entries(client, limit=60))
    assert len(paths) == len(set(paths)) == 60
    for path in paths:
        answer = client.get(path)
        assert answer.headers["content-type"] == "application/cap+xml"
        schema.validate(io.BytesIO(answer.content))
        message = read(answer.content)
        assert path.endswith(message.identifier)
        assert message.status is Status.EXERCISE, "a simulated city is never Actual"
        assert [info.language for info in message.infos] == ["zh-CN", "en-US"]


def test_links_name_the_namespace_that_was_asked_for(client: httpx.Client, seeded: Seeded) -> None:
    (path,) = links(entries(client, limit=1, namespace=seeded.namespace))
    assert path.endswith(f"?namespace={seeded.namespace}")
    assert client.get(path).status_code == 200


def test_the_same_message_is_told_the_same(client: httpx.Client) -> None:
    (path, *_) = links(entries(client, limit=1))
    first = client.get(path)
    again = client.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)


def test_the_feed_has_an_entity_tag(client: httpx.Client) -> None:
    first = client.get("/v1/cap/feed")
    again = client.get("/v1/cap/feed", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


def test_filters_of_the_feed(client: httpx.Client, seeded: Seeded) -> None:
    def found(**filters: str | int) -> set[str]:
        return set(links(entries(client, limit=200, area=seeded.county, **filters)))

    def codes(found: list[etree._Element]) -> set[str]:
        scheme = "urn:oasis:names:tc:emergency:cap:1.2:geocode"
        categories = (c for entry in found for c in entry.iter(f"{ATOM}category"))
        return {c.get("term") for c in categories if c.get("scheme") == scheme}

    assert codes(entries(client, area=seeded.county)) == {seeded.county}
    assert found() > found(severity="red") > set()
    assert found(status="Actual") == set()
    assert found(status="Exercise") == found()
    assert found(domain="waterlogging") | found(domain="air") <= found()
    assert len(entries(client, limit=3)) == 3


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/cap/nothing", 404),
        ("/v1/cap/elsewhere-alert-1", 404),
        ("/v1/cap/test_api_seeded-nobody-1", 404),
        ("/v1/cap/feed?status=Real", 422),
        ("/v1/cap/feed?area=1", 422),
        ("/v1/cap/feed?domain=tides", 422),
        ("/v1/cap/feed?colour=red", 422),
    ],
)
def test_what_is_not_there_is_told(client: httpx.Client, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_a_pending_alert_has_no_message(client: httpx.Client, seeded: Seeded) -> None:
    items = client.get("/v1/alerts?state=pending&limit=1").json()["items"]
    if items:
        name = f"{seeded.namespace}-{items[0]['id']}-{items[0]['sequence']}"
        assert client.get(f"/v1/cap/{name}").status_code == 404


def test_official_warnings_stand_beside_them(client: httpx.Client) -> None:
    found = client.get("/v1/warnings").json()["items"]
    assert [one["identifier"] for one in found] == ["rain.2", "typhoon"]
    history = client.get("/v1/warnings?state=all&limit=3").json()
    assert history["next"] is not None
    after = client.get(f"/v1/warnings?state=all&limit=3&cursor={history['next']}").json()
    assert [one["state"] for one in [*history["items"], *after["items"]]] == [
        "active",
        "active",
        "updated",
        "expired",
    ]
    table = client.get("/v1/warnings?format=csv").text.splitlines()
    assert len(table) == 3
    (one,) = client.get("/v1/warnings?type=台风").json()["items"]
    detail = client.get(f"/v1/warnings/{one['id']}").json()
    assert detail["geometry"] == {"type": "Point", "coordinates": [121.3, 28.9]}


def test_an_open_alert_is_told_again_before_it_expires(client: httpx.Client) -> None:
    """Of those that are judged until now none is held as expired; the chain is whole."""
    again = [path for path in links(entries(client, limit=200)) if "." in path.rsplit("-", 1)[1]]
    assert again
    for path in again[:20]:
        message = read(client.get(path).content)
        before = client.get(f"/v1/cap/{message.references[-1].identifier}")
        assert before.status_code == 200, "what it names is there"
        earlier = read(before.content)
        (sent, expires) = (message.sent, message.infos[0].expires or "")
        assert earlier.sent < sent <= (earlier.infos[0].expires or "") < expires
        assert message.references[-1].sent == earlier.sent
        assert message.msg_type is MsgType.UPDATE
        number = path.rpartition(".")[2]
        assert client.get(f"{path.removesuffix(number)}{int(number) + 1}").status_code == 404
