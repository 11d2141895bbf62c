"""What any twin decided becomes the one result: schedule, score, metrics, ledger, and the audit that it must pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from bess_opt.common.findings import Findings
from bess_opt.common.provenance import Stopwatch
from bess_opt.dispatch.result import Dispatch, Twin
from bess_opt.inputs.scenario import Scenario
from bess_opt.plant import audit
from bess_opt.plant.flows import Flows, schedule_of
from bess_opt.plant.ledger import ledger
from bess_opt.plant.metrics import metrics
from bess_opt.plant.plant import Plant
from bess_opt.strategies.shared.stack import Bound


def outcome(
    scenario: Scenario,
    plant: Plant,
    bound: Bound,
    twin: Twin,
    flows: Flows,
    findings: Findings,
    watch: Stopwatch,
    **more: Any,
) -> Dispatch:
    """The audited dispatch; `more` are further fields of `Dispatch`. Raises `AuditError`."""
    with watch.stage("extract"):
        schedule = schedule_of(plant, flows)
        figures = metrics(schedule, plant, bound.score(schedule, plant))
    with watch.stage("audit"):
        audit.require(schedule, law_of(twin, plant), [bound.checks])
    return Dispatch(
        scenario=scenario,
        twin=twin,
        schedule=schedule,
        metrics=figures,
        findings=findings,
        ledger=ledger(schedule, plant) | bound.penalties(schedule, plant),
        figures=bound.figures(schedule, plant),
        **more,
    )


def law_of(twin: Twin, plant: Plant) -> Plant:
    """The plant that a plan is audited against: who cannot know the future may miss the end, a figure, no fault."""
    foreseeing = twin not in ("rule", "control")
    return plant if foreseeing else plant.with_storage(end_min_mwh=0.0, end_max_mwh=np.inf)
