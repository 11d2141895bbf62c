"""The one program of a scenario with all binaries, solved by HiGHS alone: what a search must come to."""

from __future__ import annotations

import bess_opt as bo
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.models.assemble import model_of
from bess_opt.models.one_way import pairs_of
from bess_opt.plant.from_scenario import plant_of
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.solver.one_way import one_way_program
from bess_opt.strategies.shared.activation import activate


def whole(of: bo.Scenario) -> float:
    """The optimum of the one program with all binaries, by the solver alone; maximised."""
    stated_plant = plant_of(of)
    active = activate(of, stated_plant)
    plant = active.restrict(stated_plant)
    m, _objectives = model_of(plant, active)
    full = one_way_program(m, plant, expand(m), pairs_of(plant))
    return -Solver(full, SolverOptions(rel_gap=1e-9), scale_mw=plant.scale_mw).solve().objective
