"""Administrative codes as prefixes: what lies in what, by form alone."""

from __future__ import annotations

import pytest

from streams.contracts.area_code import covers, is_area_code


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        ("330000", "330000", True),
        ("330000", "330100", True),
        ("330000", "330106", True),
        ("330000", "310106", False),
        ("330100", "330106", True),
        ("330100", "330100", True),
        ("330100", "330206", False),
        ("330100", "330000", False),
        ("330106", "330106", True),
        ("330106", "330108", False),
        ("330106", "330106001", True),
        ("330110", "330110", True),
        ("330110", "330113", False),  # 0 at the end is part of the county
        ("330106001", "330106", False),
        ("331000", "331002", True),  # 台州市: the city is 10, not 1
        ("331000", "330106", False),
    ],
)
def test_an_area_covers_what_lies_in_it(outer: str, inner: str, expected: bool) -> None:
    assert covers(outer, inner) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("330106", True), ("330106001", True), ("33", False), ("33010６", False), ("", False)],
)
def test_the_form_of_a_code(text: str, expected: bool) -> None:
    assert is_area_code(text) is expected
