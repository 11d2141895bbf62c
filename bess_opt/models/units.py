"""Units of the models, on Pyomo's unit manager; a test checks every component for consistency."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
from pyomo.core.base.units_container import UnitsError


def _load(name: str) -> Any:
    return getattr(pyo.units, name)


def _currency() -> Any:
    try:
        return pyo.units.currency
    except (AttributeError, UnitsError):
        pyo.units.load_definitions_from_strings(["currency = [money]"])
        return pyo.units.currency


HOUR = _load("hour")
MW = _load("MW")
MWH = MW * HOUR
PER_UNIT = _load("dimensionless")
CURRENCY = _currency()
PER_MWH = CURRENCY / MWH
