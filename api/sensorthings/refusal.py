"""What is refused, and with which status: never ignored, always with the reason."""

from __future__ import annotations

from api.problem import Problem


def wrong(detail: str) -> Problem:
    """400: this is no SensorThings request."""
    return Problem(400, detail)


def missing(detail: str) -> Problem:
    """501: SensorThings or OData has it, this service does not."""
    return Problem(501, detail)
