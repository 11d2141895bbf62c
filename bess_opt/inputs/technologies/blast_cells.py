"""Cells of BLAST-Lite, an optional library of ageing models fitted to measured cells."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from bess_opt.common.input_table import Number, Table, quantity


class BlastCells(Table):
    """Cells whose ageing BLAST-Lite (NREL) computes, from temperature, state of charge, depth and rate of each day.

    `bess_opt.ageing(plan, BlastCells(cell="Lfp_Gr_250AhPrismatic"))` needs the extra `ageing`. A name that the
    library does not have is refused there, with the nearest one.
    """

    where: ClassVar[str] = "ageing"

    cell: Annotated[str, Field(description="name of a model of blast.models")] = "Lfp_Gr_250AhPrismatic"
    temperature_c: Annotated[Number, quantity("cell temperature", "degree Celsius", gt=-273.15)] = 25.0
    end_of_life: Annotated[Number, quantity("capacity at which the battery's life ends", "1", gt=0, lt=1)] = 0.8
