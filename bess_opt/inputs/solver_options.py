"""What the user may say about the solver."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bess_opt.common.input_table import Count, Number, Table, quantity

# Every word but the first two is the name of an engine's folder in `bess_opt.solver`.
EngineWord = Literal["auto", "highs", "value_function"]
ENGINE_OF_EVERYTHING: EngineWord = "highs"


class SolverOptions(Table):
    """Limits and seeds of a solve."""

    where: ClassVar[str] = "solver"

    time_limit_s: Annotated[Number | None, quantity("most time of a solve; default: none", "s", gt=0)] = None
    rel_gap: Annotated[Number, quantity("relative gap at which a plan counts as optimal", "1", ge=0, le=1)] = 1e-6
    threads: Annotated[Count, quantity("threads of the solver, in each solve", "1", ge=1, le=256)] = 1
    seed: Annotated[Count, quantity("seed of the solver's random choices", "1", ge=0, le=999_999)] = 0
    engine: Annotated[
        EngineWord,
        Field(description="who solves: value functions where they can (auto), HiGHS, or value functions alone"),
    ] = "auto"
