"""What a rule is: asked once per step for the battery power, with what may be known by then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from bess_opt.common.arrays import Array
from bess_opt.plant.plant import Plant


@dataclass(frozen=True)
class Held:
    """Capacity held per step, MW, by product; `swing_mw` flows both into and out of the port as calls change sign.

    Market products that several batteries hold are there for each too, by "north.fcr"; `swing_of` is then the swing
    of each battery by name. A rule that holds some has one as its attribute `held` and fills it while it runs, a step
    at a time.
    """

    capacity_mw: Mapping[str, list[float]]
    swing_mw: list[float]
    swing_of: Mapping[str, list[float]] = field(default_factory=dict)

    @classmethod
    def nothing(cls, steps: int, products: Iterable[str] = ()) -> Held:
        """No capacity of any product at any step."""
        return cls({name: [0.0] * steps for name in products}, [0.0] * steps)

    @classmethod
    def of(cls, capacity_mw: Mapping[str, Array], charge_mw: Array, discharge_mw: Array) -> Held:
        """What is held in a plan whose battery takes and gives so much on average over the calls of each step."""
        some = np.maximum.reduce([*capacity_mw.values(), np.zeros(len(charge_mw))]) > 0.0
        swing = np.where(some, np.minimum(charge_mw, discharge_mw), 0.0)
        return cls({name: held.tolist() for name, held in capacity_mw.items()}, swing.tolist())

    @property
    def bids(self) -> dict[str, Array]:
        """The capacity as arrays."""
        return {name: np.array(held) for name, held in self.capacity_mw.items()}

    def any_at(self, step: int) -> bool:
        """Whether any capacity is held in a step."""
        return any(held[step] > 0.0 for held in self.capacity_mw.values())


@dataclass(frozen=True)
class UnitState:
    """One of several batteries at the start of a step: MWh, and what it can take and give in the step, MW."""

    energy_mwh: float
    charge_room_mw: float
    discharge_room_mw: float


class State:
    """What a rule may know at a step: the present, and what has been published; nothing of the future.

    `step` counts from 0. Powers in MW, `energy_mwh` and `soc` at the start of the step. `charge_room_mw` and
    `discharge_room_mw` are what the battery itself can take and give in this step at its port; the site may
    allow less. Prices are those of this step; `known_import_prices` and `known_export_prices` those from this
    step to the end of the local day (day-ahead prices are published before the day begins); NaN or empty
    without prices. `last_grid_mw` is the grid power of the step before (+ exports; 0 at the first step).

    With several batteries energy, SOC and room are their sums, and `units[name]` is each one's.
    """

    __slots__ = (
        "_buy", "_grid", "_load", "_nameplate", "_sell", "_solar", "charge_room_mw", "discharge_room_mw",
        "energy_mwh", "plant", "step", "step_h", "units",
    )  # fmt: skip

    energy_mwh: float
    charge_room_mw: float
    discharge_room_mw: float

    def __init__(self, plant: Plant, grid: GridOf) -> None:
        self.plant, self.step_h, self._grid, self.step = plant, plant.step_h, grid, 0
        self.units: Mapping[str, UnitState] = {}
        self._nameplate = plant.energy_mwh
        self._solar: list[float] = plant.solar_mw.tolist()
        self._load: list[float] = plant.load_mw.tolist()
        self._buy: list[float] = plant.import_price.tolist()
        self._sell: list[float] = plant.export_price.tolist()

    @property
    def soc(self) -> float:
        """State of charge at the start of this step, 0 to 1 of nameplate."""
        return self.energy_mwh / self._nameplate

    @property
    def solar_mw(self) -> float:
        """PV power available in this step."""
        return self._solar[self.step]

    @property
    def load_mw(self) -> float:
        """Load of this step."""
        return self._load[self.step]

    @property
    def import_price(self) -> float:
        """Price paid in this step, currency/MWh."""
        return self._buy[self.step]

    @property
    def export_price(self) -> float:
        """Price received in this step, currency/MWh."""
        return self._sell[self.step]

    @property
    def time(self) -> pd.Timestamp:
        """Local start of this step."""
        return self.plant.index[self.step]

    @property
    def known_import_prices(self) -> Array:
        """Import prices from this step to the end of the local day, currency/MWh."""
        return self.plant.import_price[self.step : self.plant.day_end[self.step]]

    @property
    def known_export_prices(self) -> Array:
        """Export prices from this step to the end of the local day, currency/MWh."""
        return self.plant.export_price[self.step : self.plant.day_end[self.step]]

    @property
    def last_grid_mw(self) -> float:
        """Grid power of the step before, + exports; 0 at the first step."""
        return self._grid(self.step - 1) if self.step else 0.0


GridOf = Callable[[int], float]
Rule = Callable[[State], float]  # battery power wanted at the port, MW, + discharges; of several their sum
AnyRule = Callable[[State], float | Mapping[str, float]]  # or one for each of several batteries, by name


@runtime_checkable
class Committing(Protocol):
    """A rule that holds capacity, in `held`, and can do so beside others.

    `beside_others(first=)` tells it that there are others and whether it comes before them; `wish` is the power
    that they ask for in the step, MW, + discharges.
    """

    held: Held
    wish: float

    def beside_others(self, *, first: bool) -> None:
        """From now on, make room for `wish`: around the capacity if `first`, else before it."""

    def __call__(self, state: State) -> float | Mapping[str, float]:
        """Mean battery power of the step, + discharges; with several batteries that of each, or their sum."""
