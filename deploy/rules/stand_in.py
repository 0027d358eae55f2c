"""Domains whose derived values a test says itself, so that it does without their arithmetic."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from deploy.rules.case import Case
from streams.contracts.domain import (
    AreaView,
    Batch,
    Checks,
    Domain,
    Judgement,
    Outputs,
    Property,
)


def value_of(rule: str) -> str:
    """The property that stands for what a domain derives for the rule."""
    return rule.replace(".", "_") + "_value"


def stand_in(domain: Domain, case: Case) -> Domain:
    """The domain as it is; or, when the test itself says what it derives, a stand-in that computes
    nothing and takes those values."""
    rules = {rule.name: rule for rule in domain.rules if rule.property is None}
    said = sorted({one.what for one in case.seen} & rules.keys())
    if not said:
        return domain
    values = [
        Property(
            name=value_of(name),
            unit=rules[name].unit,
            scale=rules[name].unit_scale,
            title=rules[name].title,
            low=Decimal(-1_000_000_000),
            high=Decimal(1_000_000_000),
            report_s=86_400,
            windows_s=domain.properties[0].windows_s,
            checks=Checks(health=False),
        )
        for name in said
    ]
    first = len(domain.properties)

    def step(state: Any, view: AreaView, batch: Batch) -> tuple[Any, Outputs]:
        outputs = Outputs()
        for row in np.flatnonzero(batch.fresh).tolist():
            series = int(batch.rows.series[row])
            number = int(view.series_property[series]) - first
            if number >= 0:
                time_ms, value = int(batch.rows.time_ms[row]), int(batch.rows.value[row])
                point = int(view.series_point[series])
                outputs.judgements.append(Judgement(said[number], point, time_ms, value))
        return state, outputs

    return replace(
        Domain(domain.name, domain.title, (*domain.properties, *values), domain.points),
        timing=domain.timing,
        parameters=domain.parameters,
        rules=domain.rules,
        step=step,
    )
