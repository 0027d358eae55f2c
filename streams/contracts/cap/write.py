"""A CAP message as XML: CAP 1.2, UTF-8, elements in the order of the schema."""

from __future__ import annotations

from typing import Any

from lxml import etree

from streams.contracts.cap.model import Message
from streams.contracts.cap.parts import ALERT, Block, Part
from streams.contracts.cap.read import CAP_1_2
from streams.contracts.cap.rules import InvalidMessage, Rule, refuse
from streams.contracts.cap.sense import check

MEDIA_TYPE = "application/cap+xml"


def write(message: Message) -> bytes:
    """The document. Raises `InvalidMessage` for a message that nobody could make sense of."""
    faults = check(message)
    if faults:
        raise InvalidMessage(faults)
    root = etree.Element(f"{{{CAP_1_2}}}alert", nsmap={None: CAP_1_2})
    try:
        _fill(root, message, ALERT)
    except ValueError as error:  # a character that XML cannot carry
        raise refuse(Rule.CHARACTERS, "", str(error)) from error
    etree.indent(root, space="  ")
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return document


def _fill(element: Any, value: Any, block: Block) -> None:
    for part in block.parts:
        held = getattr(value, part.field)
        if part.many:
            for one in held:
                _add(element, one, part)
        elif held is not None and held != ():
            _add(element, held, part)


def _add(element: Any, value: Any, part: Part) -> None:
    child = etree.SubElement(element, f"{{{CAP_1_2}}}{part.element}")
    if isinstance(part.form, Block):
        _fill(child, value, part.form)
    else:
        child.text = part.form.write(value)
