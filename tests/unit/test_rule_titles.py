"""A rule is called as the set that decided has it; else as its domain, the newest set, its name."""

from __future__ import annotations

from streams.alerting.ruleset import RuleSet
from streams.alerting.title import RuleTitles, Said
from streams.contracts.domain import Title
from streams.domains import find_domains
from tests.support.rule_sets import DEPTH, depth, new_rule, rule_set

OWN = find_domains()
DEPTH_TITLE = next(r.title for r in OWN["waterlogging"].rules if r.name == DEPTH)
FIRST = rule_set(new_rule())
RENAMED = rule_set(new_rule(title_zh="湿路", title_en="wet"), depth(title_zh="水深"))
EMPTY = rule_set()


def said(rules: RuleSet) -> list[Said]:
    rows = [Said(rules.version, one.name, one.title_zh, one.title_en) for one in rules.rules]
    return rows or [Said(rules.version, None, "", "")]


TITLES = RuleTitles(OWN, [*said(FIRST), *said(RENAMED), *said(EMPTY)])


def test_the_set_that_decided_says_what_its_rule_is_called() -> None:
    assert TITLES.of("waterlogging.wet", f"5f@{FIRST.mark}") == Title("路面积水", "wet road")
    assert TITLES.of("waterlogging.wet", f"5f@{RENAMED.mark}") == Title("湿路", "wet")


def test_a_set_may_say_one_language_of_a_domains_own_rule() -> None:
    assert TITLES.of(DEPTH, f"5f@{RENAMED.mark}") == Title("水深", DEPTH_TITLE.en)
    assert TITLES.of(DEPTH, f"5f@{FIRST.mark}") == TITLES.of(DEPTH, "5f") == DEPTH_TITLE


def test_a_rule_that_is_gone_is_called_as_it_was() -> None:
    assert TITLES.of("waterlogging.wet", f"@{EMPTY.mark}") == Title("湿路", "wet")


def test_what_nobody_knows_is_called_by_its_name() -> None:
    assert TITLES.of("a.b", "1") == TITLES.of("a.b", "1@ffff") == Title("a.b", "a.b")


def test_it_tells_which_sets_it_knows() -> None:
    assert TITLES.knows("5f")
    assert TITLES.knows(f"5f@{EMPTY.mark}")
    assert not TITLES.knows("5f@ffff")
