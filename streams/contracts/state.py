"""State of a pipeline as versioned bytes (msgpack; numpy arrays as an extension type; no pickle).

A state is a dataclass of ints, strings, lists, dicts, tuples, arrays and such dataclasses.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import numpy as np

STATE_VERSION = 1
_ARRAY = 1

T = TypeVar("T")


def dump(state: Any) -> bytes:
    """Bytes of a state, led by the version."""
    return bytes([STATE_VERSION]) + _ENCODER.encode(state)


def restore(content: bytes, kind: type[T]) -> T:
    """The state again. Another version is refused: state is never rebuilt across versions."""
    if not content or content[0] != STATE_VERSION:
        found = content[0] if content else "nothing"
        raise ValueError(f"checkpoint of version {found}, this program reads {STATE_VERSION}")
    return msgspec.msgpack.decode(content[1:], type=kind, ext_hook=_from_ext, dec_hook=_same)


def _to_ext(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        parts = (value.dtype.str, value.shape, np.ascontiguousarray(value).tobytes())
        return msgspec.msgpack.Ext(_ARRAY, msgspec.msgpack.encode(parts))
    if isinstance(value, np.integer):
        return int(value)
    raise TypeError(f"{type(value).__name__} cannot be part of a state")


def _from_ext(code: int, data: memoryview) -> Any:
    if code != _ARRAY:
        raise ValueError(f"unknown extension {code} in a checkpoint")
    dtype, shape, content = msgspec.msgpack.decode(data)
    return np.frombuffer(content, dtype).reshape(shape).copy()


def _same(_kind: type[Any], value: Any) -> Any:
    return value


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_to_ext)
