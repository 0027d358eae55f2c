"""One delivery: a dead letter is sent again."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool

from api.actions.delivery import NothingToRetry, retry, split_id
from api.problem import RESPONSES, Problem, not_found
from api.routers.subscriptions import Name, changing, reachable, who
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
async def retry_one(request: Request, id: str, name: Name, by: str = Depends(who)) -> Retried:
    try:
        subscription, sequence = split_id(id)
    except NothingToRetry as error:
        raise not_found("delivery", id) from error
    await reachable(request, subscription, name)
    return await run_in_threadpool(_retry, request, name, (subscription, sequence), by)


def _retry(request: Request, name: str, which: tuple[str, int], by: str) -> Retried:
    try:
        with changing(request, name) as connection:
            return Retried(retried=retry(connection, *which, by))
    except NothingToRetry as error:
        raise Problem(404, f"There is no dead letter {which[0]}-{which[1]}.") from error
