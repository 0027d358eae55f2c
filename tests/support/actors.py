"""People and programs of tests, by what they may do."""

from __future__ import annotations

from api.actions.actor import EVERYWHERE, Actor, Kind, Role

VIEWER = Actor("account:viewer", Kind.PERSON, ((Role.VIEWER, EVERYWHERE),))
OPERATOR = Actor("account:operator", Kind.PERSON, ((Role.OPERATOR, EVERYWHERE),))
COMMANDER = Actor("account:commander", Kind.PERSON, ((Role.COMMANDER, EVERYWHERE),))
SECOND = Actor("account:second", Kind.PERSON, ((Role.COMMANDER, EVERYWHERE),))
ELSEWHERE = Actor("account:elsewhere", Kind.PERSON, ((Role.COMMANDER, "331100"),))
PROGRAM = Actor("key:signals", Kind.PROGRAM, ((Role.OPERATOR, EVERYWHERE),))
PEOPLE = (VIEWER, OPERATOR, COMMANDER, SECOND, ELSEWHERE)
