"""What the acting routes share: examples that hold, refusals as problems, numbers as event ids."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from api import alert_items
from api.acting import last_seen, told
from api.actions.actor import NotAllowed
from api.actions.expected import Overtaken
from api.actions.refusal import Conflict, Refused, Unknown
from api.problem import Problem
from api.routers import actions, answers, callouts, closures, messages

MODELS = (
    actions.WantedAction,
    actions.ActionItem,
    alert_items.AlertItem,
    answers.WantedAnswer,
    answers.AnswerItem,
    callouts.WantedCallAnswer,
    callouts.WantedConfirmation,
    callouts.CalloutItem,
    closures.WantedClosure,
    closures.WantedStep,
    closures.ClosureItem,
    messages.WantedMessage,
    messages.WantedSignature,
    messages.WantedRefusal,
    messages.WantedSending,
    messages.MessageItem,
)


@pytest.mark.parametrize("model", MODELS)
def test_every_example_is_what_it_is_an_example_of(model: type[BaseModel]) -> None:
    extra = model.model_config["json_schema_extra"]
    assert isinstance(extra, dict)
    examples = extra["examples"]
    assert isinstance(examples, list)
    for example in examples:
        model.model_validate(example)


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (Refused(["note: say why"]), 422),
        (NotAllowed("never a program"), 403),
        (Unknown("there is no closure 7"), 404),
        (Conflict("it is ordered already"), 409),
        (Overtaken("it has moved on"), 412),
    ],
)
def test_each_refusal_has_its_status(refusal: Refused, status: int) -> None:
    problem = told(refusal)
    assert problem.status == status
    if status == 422:
        assert [(e.parameter, e.detail) for e in problem.errors] == [("body.note", "say why")]
    else:
        assert problem.detail.endswith(".")


@pytest.mark.parametrize(
    ("header", "number"), [(None, None), ("*", None), ('"3"', 3), ("3", 3), ('W/"12"', 12)]
)
def test_what_was_seen_is_a_number(header: str | None, number: int | None) -> None:
    assert last_seen(header) == number


@pytest.mark.parametrize("header", ["", "three", '"-1"', '"3", "4"', "9" * 40])
def test_anything_else_is_a_mistake(header: str) -> None:
    with pytest.raises(Problem) as caught:
        last_seen(header)
    assert caught.value.status == 422
