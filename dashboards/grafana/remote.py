"""Speaks with a Grafana through the kept client, and says in words what it answers.

Busy answers (5xx, no connection) are tried again with back-off, bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from grafana_client.api import GrafanaApi
from grafana_client.client import (
    GrafanaClientError,
    GrafanaException,
    GrafanaServerError,
    GrafanaTimeoutError,
    GrafanaUnauthorizedError,
)
from niquests.exceptions import JSONDecodeError, RequestException

from streams.errors import Misconfigured, Unavailable

OLDEST = (11, 0)  # older ones know neither the data source's present name nor folders by uid only
TRIES = 4
MOST = 5000  # that Grafana lists at once
FIRST_WAIT_S = 0.5
NOT_FOUND, FORBIDDEN, CHANGED = 404, 403, 412
TAKEN = (409, CHANGED)


class Conflict(Exception):
    """Somebody saved the dashboard since it was read."""


@dataclass(frozen=True, slots=True)
class Held:
    """A dashboard as Grafana holds it."""

    model: Mapping[str, Any]
    folder: str
    provisioned: bool

    @property
    def version(self) -> int:
        return int(self.model.get("version", 0))


class Remote:
    """One Grafana. `Unavailable` when it does not answer, `Misconfigured` when it refuses."""

    def __init__(
        self, url: str, token: str, timeout_s: float, sleep: Callable[[float], None]
    ) -> None:
        parts = urlsplit(url)
        self._address = f"{parts.scheme}://{parts.netloc}"
        path = parts.path.strip("/")
        self._api: Any = GrafanaApi(
            token,
            host=parts.hostname or "",
            port=parts.port,
            url_path_prefix=f"{path}/" if path else "",
            protocol=parts.scheme,
            timeout=timeout_s,
        )
        self._sleep = sleep

    def check_version(self) -> str | None:
        """Its version; None when it does not say. `Misconfigured` when it is too old."""
        told = self._ask(lambda: self._api.client.GET("/health"), "ask how it is")
        version = told.get("version") if isinstance(told, Mapping) else None
        if version is None:
            return None
        numbers = str(version).split("-")[0].split(".")
        if tuple(int(n) for n in numbers[:2] if n.isdigit()) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise Misconfigured(
                [f"Grafana {version} at {self._address} is too old: {oldest} or newer is needed"]
            )
        return str(version)

    def has_datasource(self, uid: str) -> bool | None:
        """Whether there is one of that uid; None when the token may not look."""
        try:
            self._ask(lambda: self._api.datasource.get_datasource_by_uid(uid), "see data sources")
        except _Refused as refused:
            if refused.status == FORBIDDEN:
                return None
            if refused.status == NOT_FOUND:
                return False
            raise
        return True

    def has_folder(self, uid: str) -> bool:
        """Whether the folder exists."""
        try:
            self._ask(lambda: self._api.folder.get_folder(uid), "see folders")
        except _Refused as refused:
            if refused.status == NOT_FOUND:
                return False
            raise
        return True

    def make_folder(self, uid: str, title: str) -> None:
        """Makes the folder; one that an earlier try has made is as good."""
        try:
            self._ask(lambda: self._api.folder.create_folder(title, uid), "make folders")
        except _Refused as refused:
            if refused.status not in TAKEN or not self.has_folder(uid):
                raise

    def find(self, uid: str) -> Held | None:
        """The dashboard of that uid, wherever it is."""
        try:
            told = self._ask(lambda: self._api.dashboard.get_dashboard(uid), "see dashboards")
        except _Refused as refused:
            if refused.status == NOT_FOUND:
                return None
            raise
        meta = told["meta"]
        return Held(told["dashboard"], meta.get("folderUid", ""), bool(meta.get("provisioned")))

    def uids(self, folder: str, tag: str) -> list[str]:
        """Of the dashboards with that tag that lie in the folder itself."""
        found = self._ask(
            lambda: self._api.search.search_dashboards(
                type_="dash-db", tag=tag, folder_uids=folder, limit=MOST
            ),
            "search dashboards",
        )
        return sorted(each["uid"] for each in found if each.get("folderUid") == folder)

    def remove(self, uid: str) -> None:
        """Removes a dashboard; one that an earlier try has removed is as good."""
        try:
            self._ask(lambda: self._api.dashboard.delete_dashboard(uid), "remove dashboards")
        except _Refused as refused:
            if refused.status != NOT_FOUND:
                raise

    def save(self, model: Mapping[str, Any], folder: str, message: str) -> None:
        """Saves the dashboard over the version that it names. `Conflict`: there is a newer one."""
        order = {
            "dashboard": dict(model),
            "folderUid": folder,
            "message": message,
            "overwrite": False,
        }
        try:
            self._ask(lambda: self._api.dashboard.update_dashboard(order), "save dashboards")
        except _Refused as refused:
            if refused.status == CHANGED:
                raise Conflict(str(refused)) from refused
            raise

    def _ask(self, call: Callable[[], Any], what: str) -> Any:
        wait = FIRST_WAIT_S
        for left in reversed(range(TRIES)):
            try:
                return call()
            except GrafanaUnauthorizedError as error:
                raise Misconfigured(
                    [f"Grafana at {self._address} refuses the token: it is wrong, or has expired"]
                ) from error
            except GrafanaClientError as error:
                raise self._refused(error, what) from error
            except (GrafanaServerError, GrafanaTimeoutError, RequestException) as error:
                if isinstance(error, JSONDecodeError):
                    raise Misconfigured(
                        [f"what answers at {self._address} is no Grafana: it does not speak JSON"]
                    ) from error
                if not left:
                    raise Unavailable(
                        f"Grafana at {self._address} did not answer {TRIES} times: {_words(error)}"
                    ) from error
            except GrafanaException as error:
                raise Unavailable(f"Grafana at {self._address}: {error.message}") from error
            self._sleep(wait)
            wait *= 2
        raise AssertionError("unreachable")

    def _refused(self, error: GrafanaClientError, what: str) -> _Refused:
        if error.status_code == FORBIDDEN:
            text = (
                f"the token may not {what} in Grafana at {self._address}: give its service account "
                "the role Editor, or this permission on our folder"
            )
        else:
            text = f"Grafana at {self._address} refused to {what}: {error.message}"
        return _Refused(error.status_code, text)


class _Refused(Misconfigured):
    def __init__(self, status: int, text: str) -> None:
        super().__init__([text])
        self.status = status


def _words(error: Exception) -> str:
    return str(getattr(error, "message", "") or error)[:300]
