"""A Grafana as its HTTP API is documented, on loopback: folders, data sources, dashboards by uid.

Written from Grafana 11's reference (HTTP API: folder, data source, dashboard, other), not from a
running one. `faults` answer before the real thing: for every request the first that matches.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

TOKEN = "glsa_for_this_test"
Reply = tuple[int, dict[str, Any] | list[dict[str, Any]]]
NOT_FOUND: Reply = (404, {"message": "Not found"})


@dataclass
class Fault:
    """Answers `times` requests of the method to a path that begins so; `after`: does it first."""

    method: str
    path: str
    reply: Reply
    times: int = 1
    after: bool = False


@dataclass
class Grafana:
    """What it holds and what it was asked."""

    version: str | None = "11.6.0"
    folders: dict[str, str] = field(default_factory=dict)
    datasources: set[str] = field(default_factory=lambda: {"citybrain"})
    dashboards: dict[str, dict[str, Any]] = field(default_factory=dict)
    metas: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Requests that change something."""
        return [each for each in self.asked if each[0] != "GET"]

    def put(self, model: dict[str, Any], folder: str, *, provisioned: bool = False) -> None:
        """A dashboard that was there before."""
        self.dashboards[model["uid"]] = {**model, "id": 7, "version": 3}
        self.metas[model["uid"]] = {"folderUid": folder, "provisioned": provisioned}

    def answer(self, method: str, address: str, token: str, body: dict[str, Any]) -> Reply:
        """One request."""
        path, _, asked = address.partition("?")
        query = parse_qs(asked)
        self.asked.append((method, path))
        if path == "/api/health":
            return 200, {"database": "ok", **({"version": self.version} if self.version else {})}
        if token != f"Bearer {TOKEN}":
            return 401, {"message": "Unauthorized", "messageId": "api-key.invalid"}
        fault = next((f for f in self.faults if f.times and f.method == method
                      and path.startswith(f.path)), None)  # fmt: skip
        if fault is not None:
            fault.times -= 1
            if fault.after:
                self._real(method, path, body, query)
            return fault.reply
        return self._real(method, path, body, query)

    def _real(
        self, method: str, path: str, body: dict[str, Any], query: dict[str, list[str]]
    ) -> Reply:
        match method, path.split("/")[2:]:
            case "GET", ["folders", uid]:
                found = self.folders.get(uid)
                return (200, {"uid": uid, "title": found}) if found else NOT_FOUND
            case "POST", ["folders"]:
                return self._make_folder(body)
            case "GET", ["datasources", "uid", uid]:
                known = uid in self.datasources
                return (200, {"uid": uid}) if known else (404, {"message": "Data source not found"})
            case "GET", ["search"]:
                return 200, self._found(query)
            case "DELETE", ["dashboards", "uid", uid]:
                return self._remove(uid)
            case "GET", ["dashboards", "uid", uid]:
                if uid not in self.dashboards:
                    return 404, {"message": "Dashboard not found"}
                return 200, {"dashboard": self.dashboards[uid], "meta": self.metas[uid]}
            case "POST", ["dashboards", "db"]:
                return self._save(body)
        return NOT_FOUND

    def _found(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        assert query["type"] == ["dash-db"]
        return [
            {"uid": uid, "title": model["title"], "folderUid": self.metas[uid]["folderUid"]}
            for uid, model in self.dashboards.items()
            if self.metas[uid]["folderUid"] in query["folderUIDs"]
            and {*query.get("tag", ())} <= {*model.get("tags", ())}
        ][: int(query["limit"][0])]

    def _remove(self, uid: str) -> Reply:
        if uid not in self.dashboards:
            return 404, {"message": "Dashboard not found"}
        if self.metas[uid].get("provisioned"):
            return 400, {"message": "provisioned dashboard cannot be deleted"}
        title = self.dashboards.pop(uid)["title"]
        return 200, {"title": title, "message": f"Dashboard {title} deleted"}

    def _make_folder(self, body: dict[str, Any]) -> Reply:
        if body["uid"] in self.folders:
            return 412, {"message": "the folder has been changed by someone else"}
        self.folders[body["uid"]] = body["title"]
        return 200, {"uid": body["uid"], "title": body["title"], "version": 1}

    def _save(self, body: dict[str, Any]) -> Reply:
        model, folder = body["dashboard"], body["folderUid"]
        held = self.dashboards.get(model["uid"])
        if folder not in self.folders:
            return 400, {"message": "folder not found", "status": "not-found"}
        if held is not None and self.metas[model["uid"]].get("provisioned"):
            return 400, {"message": "Cannot save provisioned dashboard"}
        if held is not None and model.get("version") != held["version"] and not body["overwrite"]:
            said = "The dashboard has been changed by someone else"
            return 412, {"status": "version-mismatch", "message": said}
        version = held["version"] + 1 if held else 1
        self.dashboards[model["uid"]] = {**model, "id": 7, "version": version}
        self.metas[model["uid"]] = {"folderUid": folder, "provisioned": False}
        return 200, {"status": "success", "uid": model["uid"], "version": version, "id": 7}


@contextmanager
def grafana_served() -> Iterator[Grafana]:
    """A running one."""
    grafana = Grafana()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = grafana.answer(
                self.command,
                self.path,
                self.headers.get("Authorization", ""),
                json.loads(body) if body else {},
            )
            content = json.dumps(reply[1]).encode()
            self.send_response(reply[0])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _do

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="grafana")
    thread.start()
    try:
        grafana.url = f"http://127.0.0.1:{server.server_port}"
        yield grafana
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
