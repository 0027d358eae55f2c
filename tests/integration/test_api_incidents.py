"""Incidents over HTTP: lists, pages, one with its alerts, and a screen that fits."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.api_client import get
from tests.support.seed import Seeded

pytest_plugins = ["tests.support.seeded"]
pytestmark = pytest.mark.integration


def everything(client: httpx.Client, path: str, **given: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    page = get(client, path, **given)
    while True:
        found += page["items"]
        if page["next"] is None:
            return found
        page = get(client, path, **given, cursor=page["next"])


def test_open_incidents_hold_all_firing_alerts_worst_first(client: httpx.Client) -> None:
    incidents = everything(client, "/v1/incidents", limit=7)
    alerts = everything(client, "/v1/alerts", state="firing", limit=1000)
    assert sum(each["open"] for each in incidents) == len(alerts)
    assert {each["area"] for each in incidents} == {each["area"] for each in alerts}
    keys = [(-each["severity"]["rank"], each["began"]) for each in incidents]
    assert [rank for rank, _ in keys] == sorted(rank for rank, _ in keys)
    assert len(incidents) == len({each["id"] for each in incidents}) > 3


def test_one_with_its_steps_and_its_alerts_in_pages(client: httpx.Client, seeded: Seeded) -> None:
    (found,) = get(client, "/v1/incidents", area=seeded.county)["items"]
    one = get(client, f"/v1/incidents/{found['id']}")
    assert one["incident"] == found
    assert one["steps"][0]["step"] == "opened"
    assert one["steps"][-1]["number"] == found["sequence"]
    members = everything(client, f"/v1/incidents/{found['id']}/alerts", limit=3)
    assert len(members) == found["alerts"] == found["open"]
    ranks = [each["shown"]["rank"] for each in members]
    assert ranks == sorted(ranks, reverse=True)
    assert members[0]["alert"]["id"] == found["worst"]
    for colour, count in found["by_severity"].items():
        assert count == sum(each["shown"]["name"] == colour for each in members)


@pytest.mark.parametrize("lines", [5, 6, 25])
def test_a_screen_fits_and_every_line_opens(client: httpx.Client, lines: int) -> None:
    shown = get(client, "/v1/incidents/screen", lines=lines)
    assert len(shown["lines"]) <= lines
    assert sum(line["incidents"] for line in shown["lines"]) == shown["incidents"]
    assert sum(line["open"] for line in shown["lines"]) == shown["alerts"]
    assert shown["pending"] == shown["not_grouped"] == 0
    for line in shown["lines"]:
        given = {"area": line["area"], "domain": line["domain"], "status": line["status"]}
        if line["at_least"] != "green":
            given["severity"] = line["at_least"]
        given = {name: value for name, value in given.items() if value is not None}
        opened = everything(client, "/v1/incidents", at_most=line["at_most"], **given)
        assert len(opened) == line["incidents"]
        assert sum(each["open"] for each in opened) == line["open"]


def test_filters(client: httpx.Client) -> None:
    red = everything(client, "/v1/incidents", severity="red")
    assert {each["severity"]["name"] for each in red} == {"red"}
    assert everything(client, "/v1/incidents", domain="air") == []
    assert everything(client, "/v1/incidents", state="closed") == []
    assert everything(client, "/v1/incidents", to="2020-01-01T00:00:00+08:00") == []
    assert client.get("/v1/incidents/nothing").status_code == 404
    assert client.get("/v1/incidents/nothing/alerts").status_code == 404
