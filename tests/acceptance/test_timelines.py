"""The life of alerts as timelines that people read: `timelines/*.yaml`, in the language of
`citybrain rules test`. Each through the pipeline, each through the store to what programs read; and
no state, reason, ending, stage, severity or rule without one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.rules.case import Case, Wanted
from deploy.rules.case_reading import read_cases
from deploy.rules.picture import comparison
from deploy.rules.trial import Verdict, judge, judge_case
from streams.alerting.ruleset import RuleSet
from streams.contracts.reason import AlertState, Change, Severity
from streams.domains import find_domains
from streams.region.gateway import RULE as GATEWAY_RULE
from tests.support.stored_case import stored_states

pytestmark = pytest.mark.acceptance

DOMAINS = find_domains()
CASES = read_cases(Path(__file__).with_name("timelines"), DOMAINS)


def name_of(case: Case) -> str:
    """The English half of its name, for the list of tests."""
    return f"{Path(case.file).stem}: {case.name.split('·')[-1].strip()}"


EVERY = pytest.mark.parametrize("case", CASES, ids=name_of)


@EVERY
def test_timeline(case: Case) -> None:
    tell(judge_case(case, RuleSet(), DOMAINS))


@EVERY
def test_programs_read_the_same(
    case: Case, database_url: str, make_namespace: Callable[[], str]
) -> None:
    """Through the log, the worker, PostgreSQL and `/v1/events`."""
    states = stored_states(database_url, make_namespace(), case, DOMAINS)
    tell(judge(case, states))


def tell(verdict: Verdict) -> None:
    """Fails with a table of what was wanted beside what happened."""
    if not verdict.passed:
        case = verdict.case
        head = f"{case.file}:{case.line}  {case.name}"
        pytest.fail("\n".join([head, *verdict.faults, "", *comparison(verdict)]), pytrace=False)


def test_no_part_of_an_alerts_life_is_without_a_timeline() -> None:
    wanted = [one for case in CASES for one in case.wanted]
    missing = [name for name, is_there in parts(wanted) if not is_there]
    assert missing == []


def parts(wanted: list[Wanted]) -> Iterator[tuple[str, bool]]:
    """Everything that can happen to an alert, and whether a timeline wants it."""
    for change in Change:
        yield f"change {change.value}", any(one.change is change for one in wanted)
    for severity in Severity:
        yield f"severity {severity.name.lower()}", any(one.severity is severity for one in wanted)
    for state in AlertState:
        yield f"state {state.value}", said(wanted, "state", state.value)
    for name, value in (("stale", "true"), ("stale", "false"), ("unverified", "true")):
        yield f"{name} {value}", said(wanted, name, value)
    yield "not verified, then borne out", said(wanted, "unverified", "false")
    for by in ("ticket", "waterlogging.depth", "traffic.area at area:330106", "none"):
        yield f"in lists hidden by {by}", said(wanted, "suppressed_by", by)
    yield "held while it flaps", any("until" in one.more.get("held", "") for one in wanted)
    for rule in (
        *(rule.name for domain in DOMAINS.values() for rule in domain.rules),
        GATEWAY_RULE,
    ):
        changes = {one.change for one in wanted if one.rule == rule}
        yield f"{rule} confirmed", Change.CONFIRMED in changes
    for domain in DOMAINS:
        ends = {one.change for one in wanted if one.rule.startswith(f"{domain}.")}
        yield f"an alert of {domain} that clears", Change.CLEARED in ends
    for kind in ("point", "area", "gateway"):
        yield f"an alert of a {kind}", any(kind == kind_of(one.subject) for one in wanted)


def said(wanted: list[Wanted], name: str, value: str) -> bool:
    """Whether a timeline asks for this value of a field."""
    return any(one.more.get(name) == value for one in wanted)


def kind_of(subject: str) -> str:
    """What the alert is about: a point, an area or a gateway."""
    kind, colon, _ = subject.partition(":")
    return kind if colon else "point"
