"""Which addresses a subscriber may stand at, checked on the address that is really connected to.

A target is a wish of whoever made the subscription; from our network it could reach what they may
not (SSRF). So only public addresses are allowed, and those of networks that the administrator
lists, for subscriptions that may use them. The check sits where the socket is made: after the
DNS, for every connection, also when a name's address changes.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import urlsplit

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
AddressInfo: TypeAlias = tuple[
    int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]
]

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
COMPATIBLE = ipaddress.IPv6Network("::/96")
MOST_URL = 2000


class Refused(OSError):
    """This address may not be connected to."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be reached. `inner`: the networks that are allowed beside the public ones."""

    inner: tuple[Network, ...] = ()
    public: bool = True

    def allows(self, address: str) -> bool:
        """Whether this literal address may be connected to."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return self._allows(found)

    def make_socket(self, info: AddressInfo) -> socket.socket:
        """A socket for this address; raises `Refused`. aiohttp calls it for each connection."""
        family, kind, protocol, _, where = info
        if not self.allows(str(where[0])):
            raise Refused(f"{where[0]} is not public, nor a network that is allowed")
        return socket.socket(family, kind, protocol)

    def _allows(self, address: Address) -> bool:
        known = _embedded(address)
        if any(known in network for network in self.inner if network.version == known.version):
            return True
        return self.public and is_public(address)


def is_public(address: Address) -> bool:
    """Whether it belongs to the public internet: nothing private, shared (CGNAT), link-local,
    loopback, multicast or reserved, also not wrapped in an IPv6 address."""
    known = _embedded(address)
    if isinstance(known, ipaddress.IPv4Address) and known is not address:
        return is_public(known)
    if isinstance(known, ipaddress.IPv6Address) and (known in NAT64_LOCAL or known.is_site_local):
        return False
    return known.is_global and not (
        known.is_multicast or known.is_reserved or known.is_unspecified or known.is_loopback
    )


@lru_cache(maxsize=10_000)
def url_mistake(url: str, *, inner: bool) -> str | None:
    """Why this is no webhook's address, whatever it resolves to; None when it may be one."""
    if len(url) > MOST_URL or not url.isascii() or any(c.isspace() or ord(c) < 32 for c in url):
        return "must be an URL of ASCII characters without blanks"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is no URL"
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return "must begin with https:// and name a host"
    if parts.scheme == "http" and not inner:
        return "must be https: http is for allowed inner networks only"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user or a password"
    if parts.fragment:
        return "must not have a fragment"
    return "has no such port" if port == 0 else None


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """The networks; raises `ValueError`."""
    return tuple(ipaddress.ip_network(text.strip()) for text in texts if text.strip())


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in NAT64 or (address in COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
