"""What the rooms behind the HTTP door raise, as problem details."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi_problem.error import Problem
from starlette.requests import ClientDisconnect

from sensors.gateway import problem
from sensors.gateway.admission import TooLarge, TooSlow
from sensors.gateway.collector import Busy
from sensors.gateway.intake import OtherGateway, OverQuota, UnknownGateway
from sensors.gateway.keys import Denial, NotAdmitted
from sensors.gateway.reading import BadRequest, UnknownFormat
from streams.errors import Unavailable


@contextmanager
def as_problems(retry_after_s: int) -> Iterator[None]:
    """Turns every expected way to be turned away into its problem; bugs pass through."""
    try:
        yield
    except (Busy, Unavailable, NotAdmitted, OverQuota) as error:
        raise _come_back(error, retry_after_s) from error
    except (
        BadRequest,
        UnknownFormat,
        UnknownGateway,
        OtherGateway,
        ClientDisconnect,
        TooLarge,
        TooSlow,
    ) as error:
        raise _turned_away(error) from error


def _come_back(error: Exception, retry_after_s: int) -> Problem:
    match error:
        case OverQuota():
            wait_s = max(1, math.ceil(error.overdraft.wait_s))
            return problem.too_many(str(error), wait_s)
        case Busy() if error.own:
            return problem.too_many(str(error), retry_after_s)
        case Busy():
            return problem.busy(str(error), retry_after_s)
        case NotAdmitted() if error.denial is not Denial.UNKNOWN_STATE:
            return problem.not_admitted(str(error))
        case NotAdmitted():
            return problem.busy(str(error), retry_after_s)
        case _:
            return problem.busy(f"the store: {error}", retry_after_s)


def _turned_away(error: Exception) -> Problem:
    match error:
        case UnknownFormat():
            return problem.wrong_media_type(str(error))
        case UnknownGateway():
            return problem.unknown_gateway(str(error))
        case OtherGateway():
            return problem.other_gateway(str(error))
        case TooLarge():
            return problem.too_large(str(error))
        case TooSlow():
            return problem.too_slow(str(error))
        case ClientDisconnect():
            return problem.not_a_batch("the connection ended before the body did")
        case _:
            return problem.not_a_batch(str(error))
