"""What value functions must hold, each as a multiple of raw arrays in HiGHS measured in the same run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from floors import FLOORS
from measure import paired, peak_memory
from sizing import SIZED, cold_solve, priced, surface_anew
from workloads import LOSSY, TEN_YEARS, first_steps, five_minutes, german_file, shipped, ten_years

import bess_opt as bo
from bess_opt.inputs.scenario import Scenario
from bess_opt.models.assemble import model_of
from bess_opt.solver.expand import expand
from bess_opt.solver.highs import Solver
from bess_opt.strategies.shared.activation import prepare

PURE = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
FLOOR_SECONDS = 300.0  # given to a floor that may take hours: what it took until then is a lower bound of its time
YEARS = 100  # price years timed; the table shows them as a thousand


@dataclass(frozen=True)
class Goal:
    """A piece of work, the floor that it is held against, and the most that it may cost beside it.

    Without a floor `most` is in seconds. `times` turns what is timed into what the goal speaks of. A floor that
    answers NaN was ended before its optimum. `memory` is (case, most GiB) where the peak of a plan is held to a goal.
    """

    name: str
    most: float
    work: Callable[[], Any]
    floor: Callable[[], Any] | None
    times: float = 1.0
    memory: tuple[str, float] | None = None


def goals(quick_steps: int | None) -> list[Goal]:
    """The work that can be done here; with `quick_steps` on so many steps."""

    def cut(scenario: Scenario) -> Scenario:
        return scenario if quick_steps is None else first_steps(scenario, quick_steps)

    merchant, five = cut(shipped("solar_merchant")), cut(five_minutes())
    arrays = FLOORS["arrays"]
    years = _years(merchant)
    found = [
        Goal("year of hours, whole optimize", 0.25, lambda: bo.optimize(merchant), lambda: arrays(merchant)),
        Goal("105,120 steps, whole optimize", 0.1, lambda: bo.optimize(five), lambda: arrays(five)),
        Goal(
            "1,000 price years",
            30.0,
            lambda: bo.optimize_many(merchant, years),
            lambda: arrays(merchant),
            1_000.0 / YEARS,
        ),
        Goal(
            "a re-plan every hour over 48",
            4.0,
            lambda: bo.control(merchant, "perfect", terminal="value"),
            lambda: arrays(merchant),
        ),
    ]
    found += _more_goals(cut, merchant)
    file = german_file()
    if file is not None:
        german = cut(_german(file))
        found.insert(1, Goal("German ID1 2021, one way", 0.2, lambda: bo.optimize(german), lambda: arrays(german)))
        found += _caps(cut, file)
    return found


def _caps(cut: Callable[[Scenario], Scenario], file: Any) -> list[Goal]:
    """Caps on cycles beside the program with their rows; in any hours, beside the program without them."""
    year, month = (cut(_capped(file, {"count": n, "per": per})) for n, per in ((365.0, "year"), (30.0, "month")))
    sliding, free = cut(_capped(file, {"count": 0.75, "hours": 12.0})), cut(_capped(file, None))
    return [
        Goal("cap of the year, quarter-hours", 0.8, lambda: bo.optimize(year), lambda: raw_program(year)),
        Goal("cap of each month, quarter-hours", 1.2, lambda: bo.optimize(month), lambda: raw_program(month)),
        Goal("cap in any 12 hours / without it", 3.0, lambda: bo.optimize(sliding), lambda: raw_program(free)),
    ]


def _more_goals(cut: Callable[[Scenario], Scenario], merchant: Scenario) -> list[Goal]:
    """Sizes, other strategies, peaks, a million steps, and what a flat negative price and a first call take."""
    arrays, peaks, flat = FLOORS["arrays"], cut(_monthly_peaks(merchant)), _flat_negative()
    cap = cut(merchant.replace(strategy={"name": "export_cap", "cap_mw": 5.0}))
    cycling = cut(merchant.replace(strategy="cycling"))
    million, tenth = cut(ten_years(1.0)), cut(ten_years(0.1))
    return [
        Goal(
            "1,051,200 steps / a tenth of them",
            1.0,
            lambda: bo.optimize(million),
            lambda: arrays(tenth, FLOOR_SECONDS),
            memory=(TEN_YEARS, 3.0) if len(million.series) > len(tenth.series) else None,
        ),
        *_sizes(priced(merchant, None if len(merchant.series) > 8_000 else len(merchant.series))),
        Goal("export cap, whole optimize", 1.0, lambda: bo.optimize(cap), lambda: raw_program(cap)),
        Goal("twelve monthly peaks", 0.6, lambda: bo.optimize(peaks), lambda: raw_program(peaks)),
        Goal("cycling for a year, seconds", 60.0, lambda: bo.optimize(cycling), None),
        Goal("240 hours at a flat -10, seconds", 0.2, lambda: bo.optimize(flat), None),
        Goal(
            "a first call, seconds more than HiGHS' own",
            0.5,
            lambda: _first_call("auto"),
            lambda: _first_call("highs"),
        ),
    ]


def _sizes(scenario: Scenario) -> list[Goal]:
    """A hundred sizes' values, and a whole `bo.size` with its exact plan, beside the same program solved once."""
    power_mw, duration_h = SIZED["solar_merchant"]
    cold = cold_solve(scenario, sum(power_mw) / 2, sum(power_mw) * sum(duration_h) / 4)
    sizing = bo.size(scenario, power_mw, duration_h)
    return [
        Goal("100 sizes / one cold solve", 2.0, lambda: surface_anew(sizing), cold),
        Goal("proof of a size / one cold solve", 2.0, lambda: bo.size(scenario, power_mw, duration_h), cold),
    ]


def time_goal(goal: Goal, repeat: int, clock: str) -> dict[str, Any]:
    """One row of the table."""
    contenders = {"engine": goal.work} | ({} if goal.floor is None else {"arrays": goal.floor})
    times = paired(contenders, repeat, clock)
    own = goal.times * times.median("engine")
    floor = None if goal.floor is None else times.median("arrays")
    ratio = own if floor is None else goal.times * times.ratio("engine", "arrays")
    if goal.name.startswith("a first call") and floor is not None:
        ratio = own - floor
    ended = floor is None or not _is_nan(times.answers["arrays"])
    peak = None if goal.memory is None else peak_memory(goal.memory[0], None)["peak"] / 1024.0
    return {
        "work": goal.name,
        "floor_ended": ended,
        "memory_gib": peak,
        "memory_at_most_gib": None if goal.memory is None else goal.memory[1],
        "seconds": own,
        "arrays_seconds": float("nan") if floor is None else floor,
        "ratio": ratio,
        "at_most": goal.most,
    }


def _is_nan(answer: Any) -> bool:
    """Whether a floor was ended before its optimum."""
    return isinstance(answer, float) and answer != answer


def raw_program(scenario: Scenario) -> float:
    """HiGHS cold on the scenario's own linear program, without start, ties or the one-way rule."""
    plant, active = prepare(scenario)
    model, _ = model_of(plant, active)
    program = expand(model)
    return float(Solver(program, scenario.solver, scale_mw=plant.scale_mw).solve().objective)


def _first_call(engine: str) -> None:
    """A process that imports the package and plans two days."""
    lines = f"""
import numpy as np, pandas as pd, bess_opt as bo
at = pd.date_range("2025-06-02", periods=48, freq="h", tz="UTC")
prices = pd.DataFrame({{"price_per_mwh": np.sin(np.arange(48.0))}}, index=at)
battery = bo.Battery(power_mw=1.0, duration_h=2.0)
bo.optimize(bo.Scenario(battery=battery, series=prices, strategy="arbitrage", solver={{"engine": "{engine}"}}))
"""
    subprocess.run([sys.executable, "-c", lines], check=True)


def _flat_negative() -> Scenario:
    at = pd.date_range("2025-06-02", periods=240, freq="h", tz="UTC")
    battery = {"power_mw": 1.0, "duration_h": 2.0, "soc_start": 0.5, "technology": LOSSY, "converters": PURE}
    series = pd.DataFrame({"price_per_mwh": np.full(240, -10.0)}, index=at)
    scenario: Scenario = bo.Scenario(battery=battery, series=series, strategy="arbitrage")
    return scenario


def _monthly_peaks(scenario: Scenario) -> Scenario:
    """The year with a load and a price on the highest import of each month."""
    series = scenario.series
    hour = np.arange(len(series)) % 24
    load = 2.0 + np.sin((hour - 8.0) * np.pi / 12.0) + np.random.default_rng(3).uniform(0.0, 1.0, len(series))
    tariff = {"demand": [{"price_per_mw_month": 8_000.0}]}
    peaks: Scenario = scenario.replace(series=series.assign(load_mw=load), tariff=tariff)
    return peaks


def _years(scenario: Scenario) -> pd.DataFrame:
    """The scenario's prices with their days in other orders."""
    price, rng = scenario.series["price_per_mwh"].to_numpy(), np.random.default_rng(1)
    day = round(24.0 / scenario.step_h)
    whole = len(price) // day * day
    columns = {
        f"year {i}": np.append(rng.permutation(price[:whole].reshape(-1, day)).ravel(), price[whole:])
        for i in range(YEARS)
    }
    return pd.DataFrame(columns, index=scenario.series.index)


def _german(file: Any) -> Scenario:
    prices = bo.read_prices(file, column="ID1")
    battery = {"power_mw": 1.0, "duration_h": 2.0, "soc_start": 0.0, "soc_end": "free"}
    battery |= {"technology": LOSSY, "converters": PURE}
    series = prices.iloc[:, :1].set_axis(["price_per_mwh"], axis=1)
    scenario: Scenario = bo.Scenario(battery=battery, series=series, strategy="arbitrage")
    return scenario


def _capped(file: Any, cap: dict[str, Any] | None) -> Scenario:
    """1 MWh on German quarter-hours with `cap` on what enters the cells."""
    prices, each_way = bo.read_prices(file, column="ID3"), float(np.sqrt(0.86))
    battery = {"power_mw": 0.5, "duration_h": 2.0, "soc_start": 0.0, "soc_end": "free", "converters": PURE}
    battery |= {"technology": LOSSY | {"eta_charge": each_way, "eta_discharge": each_way}}
    if cap is not None:
        battery |= {"max_cycles": cap | {"counts": "charged"}}
    series = prices.iloc[:, :1].set_axis(["price_per_mwh"], axis=1)
    scenario: Scenario = bo.Scenario(battery=battery, series=series, strategy="arbitrage")
    return scenario
