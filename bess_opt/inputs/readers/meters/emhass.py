"""Results and inputs of EMHASS: a first column of times with offsets, powers in W, prices per kWh."""

from __future__ import annotations

from bess_opt.inputs.readers.arguments import Stated
from bess_opt.inputs.readers.file.table import Table
from bess_opt.inputs.readers.layout import Kind, Layout, Values
from bess_opt.inputs.readers.reading import Log


def _knows(table: Table) -> bool:
    return table.has("P_PV", "P_Load") or table.has("unit_load_cost", "unit_prod_price")


def _layout(table: Table, stated: Stated, log: Log) -> Layout:
    return Layout(
        values={
            "price": Values(r"^unit_load_cost$"),
            "load": Values(r"^P_Load$", "W"),
            "solar": Values(r"^P_PV$", "W"),
        },
        start=table.names[0],
        stamps="start",
    )


KIND = Kind(
    "EMHASS",
    '"timestamp","P_PV","P_Load","unit_load_cost"',
    "emhass.readthedocs.io, optimisation results",
    _knows,
    _layout,
)
