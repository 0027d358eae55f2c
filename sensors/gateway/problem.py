"""Problem details of the gateway (RFC 9457): one kind per way to be turned away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi_problem.error import Problem


def not_a_batch(detail: str) -> Problem:
    """400: the body cannot be read as a batch."""
    return Problem("Not a batch of readings", "not-a-batch", detail, 400)


def not_admitted(detail: str) -> Problem:
    """401: no key, or none that is valid."""
    headers = {"WWW-Authenticate": 'Bearer realm="citybrain gateway"'}
    return Problem("No valid key", "no-valid-key", detail, 401, headers)


def other_gateway(key_gateway: str) -> Problem:
    """403: the key belongs to another gateway than the one that the request names."""
    detail = f"this key belongs to gateway {key_gateway!r}"
    return Problem("The key of another gateway", "other-gateway", detail, 403)


def too_slow(detail: str) -> Problem:
    """408: the body did not arrive in time."""
    return Problem("The request took too long", "too-slow", detail, 408)


def too_large(detail: str) -> Problem:
    """413: the body is larger than one request may be."""
    return Problem("The request is too large", "too-large", detail, 413)


def wrong_media_type(detail: str) -> Problem:
    """415: nobody here reads this content type."""
    return Problem("This content type is not read", "wrong-media-type", detail, 415)


def unknown_gateway(gateway: str) -> Problem:
    """422: nobody registered this gateway."""
    detail = f"gateway {gateway[:80]!r} is not registered"
    return Problem("Unknown gateway", "unknown-gateway", detail, 422, accepted=0, refused=[])


def all_refused(refused: Sequence[Mapping[str, object]]) -> Problem:
    """422: not one reading could be taken."""
    return Problem(
        "Every reading was refused",
        "all-refused",
        f"{len(refused)} of {len(refused)} readings were refused",
        422,
        accepted=0,
        refused=list(refused),
    )


def no_warning(refused: object) -> Problem:
    """422: not one official warning could be taken."""
    return Problem(
        "Every warning was refused",
        "no-warning",
        "each breaks a rule, named in `refused`; they are in the dead letters",
        422,
        accepted=[],
        refused=refused,
    )


def too_many(detail: str, retry_after_s: int) -> Problem:
    """429: this gateway has its share waiting already."""
    return Problem("Too many readings at once", "too-many", detail, 429, _wait(retry_after_s))


def busy(detail: str, retry_after_s: int) -> Problem:
    """503: the gateway or the log cannot take more now."""
    return Problem("Busy, come back later", "busy", detail, 503, _wait(retry_after_s))


def _wait(seconds: int) -> dict[str, str]:
    return {"Retry-After": str(seconds)}
