"""Engines beside HiGHS: what each can be asked, and the table of those there are.

HiGHS solves every program. An engine solves those whose structure fits it, faster or with more answers; it says so
for each model, and its caller goes on with HiGHS where it does not. An engine is a folder here that is called as the
word of `solver.engine` that asks for it, with `ENGINE` in its file `engine.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, get_args

from bess_opt.common.errors import SolveError
from bess_opt.inputs.solver_options import ENGINE_OF_EVERYTHING, EngineWord, SolverOptions

if TYPE_CHECKING:
    from bess_opt.common.arrays import Array
    from bess_opt.models.one_way import Pair
    from bess_opt.solver.optimum import Optimum

Objectives = Sequence[Sequence[tuple[float, Any, Any]]]  # in the order in which they count, each maximised


class EngineRefusedError(SolveError):
    """An engine cannot answer for a model: `rows` name what does not fit, each with the reason.

    `no_plan`: it can, and the answer is that no plan exists.
    """

    rows: tuple[str, ...] = ()
    no_plan: bool = False

    @classmethod
    def because(cls, row: str) -> EngineRefusedError:
        """The error with one row."""
        error = cls(row)
        error.rows = (row,)
        return error


class EngineFaultError(SolveError):
    """An answer of an engine fails its own proof: an error of the engine, never of the scenario."""

    @property
    def rows(self) -> tuple[str, ...]:
        """Why HiGHS must be asked."""
        return (f"proof: {self}",)


class EnergyWorth(Protocol):
    """What stored energy is worth at an instant.

    `energy` are MWh in store, ascending; row i of `slope` is what a MWh brings between energies i and i + 1, a column
    for each objective.
    """

    @property
    def energy(self) -> Array:
        """Energies, MWh."""

    @property
    def slope(self) -> Array:
        """Worth of a MWh, in units of each objective."""


class ValueByPrice(Protocol):
    """The value of a model as a function of one series of prices."""

    def answer(self, price: Array) -> tuple[float, float]:
        """(first objective of the best plan, what is counted of its flows). Raises `EngineRefusedError`."""


class RelaxedOptimum(Protocol):
    """The optimum of a model without the one-way rule, by its prices."""

    @property
    def value(self) -> float:
        """The first objective, maximised."""

    def most(self, other: ReadModel) -> float:
        """What no plan of a model of the same shape exceeds at these prices, with or without the one-way rule.

        Linear in the limits wherever both sides of each change in proportion; inf where the prices say nothing.
        """


class ReadModel(Protocol):
    """A model that an engine has read; asked from several threads at a time."""

    def value(self) -> float:
        """The most that any plan brings in the first objective; NaN without any plan. Raises `EngineRefusedError`."""

    def relaxed(self) -> RelaxedOptimum:
        """The optimum without the one-way rule. Raises `EngineRefusedError`, also where there is no plan."""

    def worth_between(self, first: int, last: int) -> Sequence[EnergyWorth]:
        """What stored energy is worth at the ends of the steps `first` to `last` − 1."""

    def by_price(self, unit: ReadModel, counted: Mapping[str, float]) -> ValueByPrice | None:
        """The model at any price, from itself, in which every price is 0, and from `unit`, in which it is 1.

        `counted` is the weight of flows, by name, that are counted beside. None where the two differ in more than
        the first objective.
        """

    def between(self, other: ReadModel, share: float) -> ReadModel | None:
        """The model whose limits and costs lie `share` of the way to those of `other`; None if more differs."""

    def shares_worth(self, other: ReadModel) -> bool:
        """Whether two models have the same coefficients and costs, so that limits alone may differ."""

    def equals(self, other: ReadModel, within: float) -> bool:
        """Whether all numbers of two models are the same but for rounding, `within` a share of each."""


class WindowPlan(Protocol):
    """A plan of some steps: `energy` of their instants, `flow` by column, `price` of a MWh in store at each end."""

    @property
    def energy(self) -> Array:
        """MWh in store at each instant."""

    @property
    def flow(self) -> Array:
        """A row per column of the planner."""

    @property
    def price(self) -> Array:
        """Worth of a MWh in store at the end of each step."""


class WindowPlanner(Protocol):
    """Plans windows of one horizon, on numbers that depend on how old they are."""

    @property
    def steps(self) -> int:
        """Steps of the horizon."""

    @property
    def changing(self) -> bool:
        """Whether any number depends on the age."""

    @property
    def columns(self) -> list[str]:
        """Names of the rows of `WindowPlan.flow`."""

    @property
    def lower(self) -> Array:
        """Lower bounds, a row per column and a column per step, as the window planned last believes them."""

    @property
    def upper(self) -> Array:
        """Upper bounds, laid out alike."""

    def plan(
        self, first: int, last: int, energy_mwh: float, *, age: Array | None, least_mwh: float, worth: float
    ) -> WindowPlan:
        """The best plan of the steps `first` to `last` − 1 from `energy_mwh` in store.

        `age` is that of each step's numbers, None if all believe the same. At the end at least `least_mwh` stay in
        store, and each MWh is worth `worth` beside what the model says. Raises `EngineRefusedError`.
        """


class Engine(Protocol):
    """What callers may ask. Money is in units of the first objective, maximised."""

    @property
    def title(self) -> str:
        """Its name in words."""

    @property
    def not_built(self) -> str:
        """Why it cannot be asked in this installation; empty if it can."""

    def optimum(
        self, model: Any, objectives: Objectives, pairs: Sequence[Pair], *, time_limit_s: float | None, insisted: bool
    ) -> Optimum:
        """The proven optimum of `model` with `pairs` of flows that exclude each other.

        Refuses what HiGHS does in less time, unless `insisted`: the user asks for this engine alone.
        Raises `EngineRefusedError`, `EngineFaultError`, and `LimitReachedError` where the time does not do.
        """

    def has_plan(self, model: Any, pairs: Sequence[Pair]) -> bool | None:
        """Whether any plan keeps all limits; None if the engine cannot say."""

    def read(self, model: Any, objectives: Objectives, pairs: Sequence[Pair]) -> ReadModel:
        """The model, to be asked for values. Raises `EngineRefusedError`."""

    def windows(self, models: Iterable[ReadModel]) -> WindowPlanner:
        """Plans windows on the numbers of `models`, youngest age first. Raises `EngineRefusedError`."""


@cache
def engine(word: str) -> Engine:
    """The engine of a word of `solver.engine`."""
    found: Engine = import_module(f"bess_opt.solver.{word}.engine").ENGINE
    return found


def engines_asked(options: SolverOptions) -> tuple[str, ...]:
    """Words of the engines to ask before HiGHS, in order; none where the options ask for HiGHS."""
    if options.engine == ENGINE_OF_EVERYTHING:
        return ()
    every = tuple(word for word in get_args(EngineWord) if word not in ("auto", ENGINE_OF_EVERYTHING))
    return every if options.engine == "auto" else (options.engine,)


def engines_at_hand(options: SolverOptions) -> tuple[Engine, ...]:
    """The engines to ask, of those that this installation has."""
    return tuple(one for word in engines_asked(options) if not (one := engine(word)).not_built)


def title_of(word: str) -> str:
    """Who solved, in words."""
    return "HiGHS" if word == ENGINE_OF_EVERYTHING else engine(word).title
