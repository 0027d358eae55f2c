"""Administrative codes (GB/T 2260) as prefixes: 330000 holds 330100, which holds 330106.

Only the form of a code is looked at; whether an area exists, the registry knows.
"""

from __future__ import annotations

import re

_CODE = re.compile(r"[0-9]{6}([0-9]{3})?")


def is_area_code(text: str) -> bool:
    """Whether it has the form of a code: six digits, nine for a town."""
    return _CODE.fullmatch(text) is not None


def covers(outer: str, inner: str) -> bool:
    """Whether `inner` is the area `outer` (province `XX0000`, city `XXXX00`, county) or in it."""
    return inner.startswith(stem_of(outer))


def city_of(code: str) -> str:
    """A county or town rolled up to the code of its city: 110108 → 110100."""
    return code if code.endswith("0000") else f"{code[:4]}00"


def stem_of(code: str) -> str:
    """What the codes of everything in an area begin with."""
    if len(code) == 6 and code.endswith("0000"):
        return code[:2]
    if len(code) == 6 and code.endswith("00"):
        return code[:4]
    return code
