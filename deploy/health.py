"""Whether a service of ours answers over HTTP."""

from __future__ import annotations

import http.client
import socket


def status_of(host: str, port: int, path: str, timeout_s: float = 2.0) -> int | None:
    """The status code of a GET; None when nothing answers in time."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def port_is_taken(host: str, port: int) -> bool:
    """True when something listens there; port 0 (any) never is."""
    if port == 0:
        return False
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host, port)) == 0
