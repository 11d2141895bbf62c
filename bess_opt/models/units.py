"""Units of the models, read by Pyomo's unit manager only where someone asks for them.

The manager's package takes longer to load than a plan of a day takes to solve; a test checks every component for
consistency.
"""

from __future__ import annotations

from functools import cache
from typing import Any


class Unit:
    """A unit of measure: `names` are those of Pyomo's unit manager, each with the power that it is raised to."""

    def __init__(self, **names: int) -> None:
        self.names = names

    def __mul__(self, other: Unit) -> Unit:
        return Unit(**{name: self._power(name) + other._power(name) for name in {**self.names, **other.names}})

    def __truediv__(self, other: Unit) -> Unit:
        return Unit(**{name: self._power(name) - other._power(name) for name in {**self.names, **other.names}})

    def _power(self, name: str) -> int:
        return self.names.get(name, 0)

    @property
    def of_pyomo(self) -> Any:
        """The unit as Pyomo's unit manager has it; it is loaded by the first unit that is asked for."""
        return _of_pyomo(tuple((name, power) for name, power in self.names.items() if power))


@cache
def _of_pyomo(names: tuple[tuple[str, int], ...]) -> Any:
    manager = _manager()
    unit = manager.dimensionless
    for name, power in names:
        unit = unit * getattr(manager, name) ** power
    return manager.get_units(unit)


@cache
def _manager() -> Any:
    """Pyomo's unit manager, which knows money too."""
    from pyomo.core.base.units_container import UnitsError, units

    try:
        units.currency  # noqa: B018 - another model of this process may have said it
    except (AttributeError, UnitsError):
        units.load_definitions_from_strings(["currency = [money]"])
    return units


class WithUnits:
    """A component of Pyomo that states its unit without loading the unit manager."""

    stated_units: Unit | None = None

    @property
    def _units(self) -> Any:
        """As Pyomo asks for it: while it declares a component it would load the unit manager to look a unit up."""
        if self.stated_units is None or not getattr(self, "_constructed", False):
            return None
        return self.stated_units.of_pyomo

    @_units.setter
    def _units(self, units: None) -> None:
        """Pyomo sets it to what its constructor was given, which is nothing."""


HOUR = Unit(hour=1)
MW = Unit(MW=1)
MWH = MW * HOUR
PER_UNIT = Unit()
CURRENCY = Unit(currency=1)
PER_MWH = CURRENCY / MWH
