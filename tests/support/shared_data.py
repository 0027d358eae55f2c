"""Where the real recordings are: beside the checkout, never inside it."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def shared_data(name: str) -> Path:
    """The folder of a recording; skips the test when it is not on this machine."""
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"recording {name} is not on this machine (looked beside the checkout)")
    return folder
