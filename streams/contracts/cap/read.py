"""A CAP message from bytes that anybody may have sent.

The text is decoded here, by the declared encoding, and looked through up to its first element: a
document type is refused before a parser sees it, so there are no entities but XML's five, and
nothing is ever fetched. CAP 1.1 is converted to 1.2. The national dialect is refused by name: what
its fields mean is known only in part (docs/cap.md), and nobody may guess at a warning.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

from streams.contracts.cap.model import Message
from streams.contracts.cap.parts import ALERT, Block, Part, WrongForm
from streams.contracts.cap.rules import InvalidMessage, Rule, refuse
from streams.contracts.cap.sense import check

CAP_1_2 = "urn:oasis:names:tc:emergency:cap:1.2"
CAP_1_1 = "urn:oasis:names:tc:emergency:cap:1.1"
NATIONAL = "http://com.icss.amp"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"
MAX_BYTES = 1 << 18  # what comes of it must fit into a record of the log
MAY_BE_EMPTY = ("valueName", "value", "areaDesc", "resourceDesc", "mimeType")
UNSTATED_MIME_TYPE = "application/octet-stream"  # CAP 1.1 need not state one
ENCODINGS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "windows-1252": "cp1252",
    "utf-16": "utf-16",
    "gb2312": "gb18030",  # a subset of it
    "gbk": "gb18030",
    "gb18030": "gb18030",
}
_LONGEST_DECLARATION = 200
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*?\?>")
_DECLARED = re.compile(rb"\s*<\?xml\s[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_FRACTION = re.compile(r"\.\d{1,12}(?=Z|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The namespace of the message; with it, which version is read."""

    namespace: str

    @property
    def old(self) -> bool:
        return self.namespace == CAP_1_1


def read(content: bytes) -> Message:
    """The message, of good form and good sense.

    Raises `InvalidMessage` with the rule that is broken, and nothing else.
    """
    root = _parse(_text(content))
    namespace, _, name = root.tag.removeprefix("{").rpartition("}")
    if namespace == NATIONAL:
        raise refuse(
            Rule.NATIONAL_DIALECT, "", f"{NATIONAL}: the national dialect is not read, send CAP 1.2"
        )
    if namespace not in (CAP_1_2, CAP_1_1):
        raise refuse(Rule.NAMESPACE, "", f"{namespace[:80]!r} is neither CAP 1.2 nor CAP 1.1")
    if name != "alert":
        raise refuse(Rule.ELEMENT, "", f"the document is {name[:40]!r}, not an alert")
    message: Message = _block(root, ALERT, "alert", _Reading(namespace))
    faults = check(message)
    if faults:
        raise InvalidMessage(faults)
    return message


def _text(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise refuse(Rule.SIZE, "", f"{len(content)} bytes; at most {MAX_BYTES} are taken")
    name = _declared(content)
    codec = ENCODINGS.get(name.lower())
    if codec is None:
        raise refuse(Rule.ENCODING, "", f"{name!r} is none of {', '.join(ENCODINGS)}")
    try:
        text = content.decode(codec)
    except UnicodeDecodeError as error:
        raise refuse(Rule.ENCODING, "", f"not {name}: {error.reason}") from error
    text = text.removeprefix("\ufeff")
    declaration = _DECLARATION.match(text[:_LONGEST_DECLARATION])
    return text[declaration.end() :] if declaration else text


def _declared(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    found = _DECLARED.match(content[:_LONGEST_DECLARATION].removeprefix(codecs.BOM_UTF8))
    return found[1].decode("ascii") if found else "utf-8"


def _parse(text: str) -> Any:
    _refuse_document_type(text)
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        return etree.fromstring(text.encode("utf-8"), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError, ValueError) as error:
        raise refuse(Rule.WELL_FORMED, "", str(error)[:160]) from error


def _refuse_document_type(text: str) -> None:
    """Looks at what may stand before the first element: space, comments, instructions, a DTD."""
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if text.startswith("<!--", at):
            end = text.find("-->", at + 4)
        elif text.startswith("<?", at):
            end = text.find("?>", at + 2)
        elif text.startswith("<!", at):
            raise refuse(Rule.DOCUMENT_TYPE, "", "a document type is not taken, nor its entities")
        else:
            return
        if end < 0:
            return
        at = text.index(">", end) + 1


def _block(element: Any, block: Block, where: str, reading: _Reading) -> Any:
    """The value of a block; its children must stand in the order of its parts."""
    if element.text and element.text.strip():
        raise refuse(Rule.ELEMENT, where, "text between the elements")
    found: dict[str, list[Any]] = {}
    before = 0
    for child in element:
        if child.tail and child.tail.strip():
            raise refuse(Rule.ELEMENT, where, "text between the elements")
        if block is ALERT and str(child.tag).startswith(SIGNATURE):
            before = len(block.parts)  # nothing of ours follows
            continue
        at = _place(child, block, where, reading)
        part = block.parts[at]
        values = found.setdefault(part.field, [])
        place = f"{where}/{part.element}"
        if at < before:
            raise refuse(Rule.ELEMENT, place, "stands after an element that must follow it")
        if values and not part.many:
            raise refuse(Rule.ELEMENT, place, "stands more than once")
        before = at
        numbered = f"{place}[{len(values) + 1}]" if part.many else place
        values.append(_value(child, part, numbered, reading))
    return _assemble(block, found, where, reading)


def _place(child: Any, block: Block, where: str, reading: _Reading) -> int:
    """Which part of the block an element is."""
    name = str(child.tag).removeprefix(f"{{{reading.namespace}}}")
    for number, part in enumerate(block.parts):
        if part.element == name:
            return number
    raise refuse(Rule.ELEMENT, where, f"{str(child.tag)[:80]!r} has no place here")


def _value(element: Any, part: Part, where: str, reading: _Reading) -> Any:
    if isinstance(part.form, Block):
        return _block(element, part.form, where, reading)
    if len(element):
        raise refuse(Rule.ELEMENT, where, "holds elements where text is wanted")
    text = (element.text or "").strip()
    if reading.old and part.element in ("sent", "effective", "onset", "expires"):
        text = _new_time(text)
    if not text:
        return None if not part.required or part.many else _empty(part, where)
    try:
        return part.form.read(text)
    except WrongForm as error:
        raise refuse(error.rule, where, str(error)) from error


def _empty(part: Part, where: str) -> str:
    """A few texts may be there and say nothing, e.g. the value of a parameter."""
    if part.element in MAY_BE_EMPTY:
        return ""
    raise refuse(Rule.REQUIRED, where, "is empty")


def _assemble(block: Block, found: dict[str, list[Any]], where: str, reading: _Reading) -> Any:
    fields: dict[str, Any] = {}
    if (
        reading.old
        and "mime_type" not in found
        and any(p.field == "mime_type" for p in block.parts)
    ):
        found["mime_type"] = [UNSTATED_MIME_TYPE]
    for part in block.parts:
        values = [v for v in found.get(part.field, ()) if v is not None]
        if part.required and not values:
            raise refuse(Rule.REQUIRED, f"{where}/{part.element}", "is missing")
        if part.many:
            fields[part.field] = tuple(values)
        elif values:
            fields[part.field] = values[0]
    return block.kind(**fields)


def _new_time(text: str) -> str:
    """A dateTime of CAP 1.1 (any xs:dateTime) in the form of 1.2; without an offset it stays wrong,
    as nobody knows which moment is meant."""
    whole = _FRACTION.sub("", text)
    return f"{whole[:-1]}-00:00" if whole.endswith("Z") else whole
