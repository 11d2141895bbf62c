"""A first plan from a relaxed one: choices that its flows bear are made, and whole numbers are rounded down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bess_opt.common.arrays import Array
from bess_opt.solver.program import Program
from bess_opt.solver.solution import Solution

WHOLE = 1e-6  # less than this below a whole number is one
HOLDS = 1e-9  # by how much a row may be missed, in its own unit, and still hold


def rounded(program: Program, relaxed: Array, solve: Callable[[Program], Solution]) -> Array:
    """Values of `program` whose whole numbers are whole, near its linear optimum `relaxed`.

    `solve` solves a linear program. A yes-or-no choice is made where all its rows then hold at the relaxed flows;
    the other whole numbers follow in a linear program of their own and are rounded down, for less is held more
    easily than more. Raises `InfeasibleProgramError` where the choices do not go together.
    """
    choice = program.integer & (program.upper <= 1.0)
    x = relaxed.copy()
    x[choice] = _borne(program, relaxed, choice)[choice]
    if (program.integer & ~choice).any():
        held = replace(
            program,
            lower=np.where(choice, x, program.lower),
            upper=np.where(choice, x, program.upper),
            integer=np.zeros_like(program.integer),
        )
        x = solve(held).x
    whole: Array = np.where(program.integer, np.floor(x + WHOLE), x)
    return whole


def _borne(program: Program, relaxed: Array, choice: Array) -> Array:
    """`relaxed` with each choice made that it makes in part, save where a row of the choice would not hold."""
    x = np.where(choice & (relaxed > WHOLE), np.floor(program.upper + WHOLE), relaxed)
    x[choice & (relaxed <= WHOLE)] = 0.0
    activity = program.activity(x)
    missed = (activity < program.row_lower - HOLDS) | (activity > program.row_upper + HOLDS)
    undone = program.column[missed[program.row_of_entry]]
    x[undone[choice[undone]]] = 0.0
    return np.maximum(x, np.where(choice, program.lower, -np.inf))
