"""One delivery: a dead letter is sent again."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from api.actions.delivery import NothingToRetry, retry, split_id
from api.problem import RESPONSES, Problem
from api.routers.subscriptions import Name, changing, who
from api.strict import StrictRoute
from api.subscribed import Retried

router = APIRouter(
    route_class=StrictRoute, prefix="/deliveries", tags=["subscriptions"], responses=RESPONSES
)


@router.post(
    "/{id}/retry",
    summary="Send a dead letter again",
    description="Under its old key, marked `retried`. A receiver that has a newer state of the "
    "alert puts it away by its number.",
)
def retry_one(request: Request, id: str, name: Name, by: str = Depends(who)) -> Retried:
    try:
        subscription, sequence = split_id(id)
        with changing(request, name) as connection:
            return Retried(retried=retry(connection, subscription, sequence, by))
    except NothingToRetry as error:
        raise Problem(404, f"There is no dead letter {id!r}.") from error
