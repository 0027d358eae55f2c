"""State as versioned bytes: what goes in comes out, another version is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from streams.contracts.frame import Int64
from streams.contracts.state import STATE_VERSION, dump, restore


@dataclass(slots=True)
class Inner:
    name: str
    seen: dict[int, list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class State:
    values: Int64
    inner: Inner
    flags: set[int] = field(default_factory=set)
    nothing: int | None = None


def test_everything_comes_back() -> None:
    state = State(np.array([[1, -(2**62)], [3, 4]], np.int64), Inner("点", {7: [1, 2]}), {5})
    found = restore(dump(state), State)
    np.testing.assert_array_equal(found.values, state.values)
    assert found.values.dtype == np.int64
    assert (found.inner, found.flags, found.nothing) == (state.inner, {5}, None)


@pytest.mark.parametrize("kind", [np.bool_, np.int8, np.int16, np.int32, np.int64])
def test_arrays_keep_their_type_and_may_be_written(kind: type[np.generic]) -> None:
    array = np.array([0, 1, 1]).astype(kind)[::-1]
    found = restore(dump({"a": array}), dict[str, np.ndarray])["a"]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    found[0] = 0


def test_an_empty_array_comes_back() -> None:
    state = State(np.empty((0, 24), np.int64), Inner(""))
    assert restore(dump(state), State).values.shape == (0, 24)


def test_a_numpy_number_becomes_a_number() -> None:
    assert restore(dump({"a": np.int32(5)}), dict[str, int]) == {"a": 5}


def test_the_bytes_are_the_same_for_the_same_state() -> None:
    assert dump(Inner("a", {1: [2]})) == dump(Inner("a", {1: [2]}))


@pytest.mark.parametrize("content", [b"", bytes([STATE_VERSION + 1]) + b"\x80"])
def test_another_version_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="this program reads"):
        restore(content, dict[str, int])


def test_what_cannot_be_kept_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot be part of a state"):
        dump({"a": object()})
