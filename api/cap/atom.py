"""The feed: Atom (RFC 4287), an entry a message, newest first, each linking to its document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from lxml import etree

from streams.contracts.cap.model import Message
from streams.contracts.cap.write import MEDIA_TYPE as CAP

ATOM = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml"
NOTHING_YET = "1970-01-01T00:00:00+00:00"


@dataclass(frozen=True, slots=True)
class Feed:
    """What stands above the entries. `path`: of this feed with its filters; `query` ends the
    links to messages, where they need one."""

    title: str
    path: str
    namespace: str
    author: str
    query: str = ""


def write_feed(feed: Feed, messages: Sequence[Message]) -> bytes:
    """The document. Links are relative to the server, so that it may stand behind any name."""
    root = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})
    updated = max((m.sent for m in messages), default=NOTHING_YET)
    _add(root, "id", f"urn:citybrain:cap:{feed.namespace}:{quote(feed.path, safe='')}")
    _add(root, "title", feed.title)
    _add(root, "updated", updated)
    _add(etree.SubElement(root, f"{{{ATOM}}}author"), "name", feed.author)
    _add(root, "link", rel="self", href=feed.path, type=MEDIA_TYPE)
    for message in messages:
        _entry(root, message, feed.query)
    etree.indent(root, space="  ")
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return document


def _entry(root: etree._Element, message: Message, query: str) -> None:
    entry, info = etree.SubElement(root, f"{{{ATOM}}}entry"), message.infos[0]
    path = f"/v1/cap/{quote(message.identifier)}{query}"
    _add(entry, "id", f"urn:citybrain:cap:{message.sender}:{message.identifier}")
    _add(entry, "title", info.headline or info.event)
    _add(entry, "updated", message.sent)
    _add(entry, "published", message.sent)
    _add(entry, "summary", info.description or "")
    _add(entry, "link", rel="alternate", href=path, type=CAP)
    terms = {
        "status": message.status.value,
        "msgType": message.msg_type.value,
        "severity": info.severity.value,
        "expires": info.expires or "",
        "geocode": info.areas[0].geocodes[0].value,
    }
    for scheme, term in terms.items():
        _add(entry, "category", scheme=f"urn:oasis:names:tc:emergency:cap:1.2:{scheme}", term=term)


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> None:
    child = etree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    child.text = text
