"""Sizes of several batteries together and over several price years: what comes out, and what is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess_opt as bo
from bess_opt.investment.joint.result import exceeded, joint_rows

pytestmark = pytest.mark.slow

CELLS = {"eta_charge": 0.95, "eta_discharge": 0.95, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 2.0}
BOTH = {"north": (0.0, 2.0), "south": (0.0, 2.0)}


def _site(names: tuple[str, ...] = ("north", "south"), *, spread: float = 60.0, **changes: Any) -> bo.Scenario:
    at = pd.date_range("2025-03-01", periods=12, freq="h", tz="UTC", name="time")
    price = 60.0 + spread * np.sin(np.arange(12) / 12 * 2.0 * np.pi)
    batteries = [{"name": name, "power_mw": 1.0, "duration_h": 2.0, "technology": CELLS} for name in names]
    finance = {
        "capital_per_mw": 100.0, "capital_per_mwh": 300.0, "lifetime_years": 10, "discount_rate": 0.05,
        "horizons_per_year": 1.0, "fade_per_year": 0.0,
    }  # fmt: skip
    tables: dict[str, Any] = {"battery": batteries, "strategy": "arbitrage", "finance": finance, "site": {}} | changes
    return bo.Scenario(series=pd.DataFrame({"price_per_mwh": price}, index=at), **tables)


def _years(scenario: bo.Scenario, shares: tuple[float, ...]) -> list[bo.Scenario]:
    return [scenario.replace(series=scenario.series * share) for share in shares]


@pytest.fixture(scope="module")
def proven() -> bo.JointSizing:
    return bo.size(_site(site={"export_limit_mw": 1.0}), BOTH, (0.5, 4.0))


def test_two_batteries_share_a_connection(proven: bo.JointSizing) -> None:
    """Alike batteries behind 1 MW: together no more than one of them is worth alone, within the tolerance."""
    one = bo.size(_site(("north",), site={"export_limit_mw": 1.0}), (0.0, 4.0), (0.5, 4.0))
    assert proven.bound is not None
    assert proven.gap is not None
    assert one.bound is not None
    assert proven.gap <= 1e-3
    assert proven.value <= one.bound * (1.0 + 1e-9)
    assert one.value <= proven.bound * (1.0 + 1e-9)
    assert proven.build
    assert proven.costs["total"] == pytest.approx(-proven.value)


def test_the_winner_is_what_a_plan_of_it_earns(proven: bo.JointSizing) -> None:
    plan = bo.optimize(proven.scenario)
    assert plan.metrics.net_revenue == pytest.approx(proven.plan.metrics.net_revenue, rel=1e-9)
    assert proven.years["revenue"].tolist() == pytest.approx([plan.metrics.net_revenue], rel=1e-9)
    assert {battery.name for battery in proven.scenario.batteries} == {
        name
        for name, power in proven.power_mw.items()
        if power > 0.0  # type: ignore[union-attr]
    }


@pytest.fixture(scope="module")
def dear() -> tuple[bo.Scenario, bo.JointSizing]:
    """South draws more from the site by itself than it can earn, however small it is."""
    scenario = _site().replace(battery={"south": {"auxiliary_mw": 0.5}})
    return scenario, bo.size(scenario, BOTH, (0.5, 4.0))


def test_sizes_of_zero_leave_a_battery_out(dear: tuple[bo.Scenario, bo.JointSizing]) -> None:
    _, best = dear
    assert best.power_mw["south"] == 0.0  # type: ignore[index]
    assert best.power_mw["north"] > 0.0  # type: ignore[index]
    assert best.bound is not None
    alone = bo.size(_site(("north",)), {"north": (0.0, 2.0)}, (0.5, 4.0))
    assert best.value == pytest.approx(alone.value, rel=2e-3)


def test_no_size_is_worth_its_cost() -> None:
    best = bo.size(_site(spread=1.0), BOTH, (0.5, 4.0))
    assert (best.power_mw, best.value, best.build) == ({"north": 0.0, "south": 0.0}, 0.0, False)
    assert any(finding.code == "do_not_build" for finding in best.findings)
    assert ("best size of north", "none") in joint_rows(best)


def test_steps_and_budget_hold_for_all_together() -> None:
    best = bo.size(_site(), BOTH, (0.5, 4.0), power_step_mw=0.5, budget=900.0)
    assert best.bound is not None
    power, energy = best.sizes["power_mw"], best.sizes["energy_mwh"]
    assert (np.round(power / 0.5) * 0.5).tolist() == pytest.approx(power.tolist())
    assert 100.0 * power.sum() + 300.0 * energy.sum() <= 900.0 * (1.0 + 1e-9)


def test_the_mean_of_the_years_counts() -> None:
    """One size for all years: no better than the best of each year by itself, and as good as theirs in the mean."""
    scenario = _site(("north",))
    years = _years(scenario, (0.6, 1.0, 1.4))
    best = bo.size(scenario, (0.0, 2.0), (0.5, 4.0), price_years=years)
    assert isinstance(best, bo.JointSizing)
    assert best.bound is not None
    each = [bo.size(year, (0.0, 2.0), (0.5, 4.0)) for year in years]
    assert best.value == pytest.approx(best.years["value"].mean())
    assert best.value <= float(np.mean([one.bound for one in each if one.bound is not None])) * (1.0 + 1e-9)
    assert best.p10 >= best.p50 >= best.p90 == best.years["value"].min()
    labels = [text.get_text().split()[0] for text in best.plot().axes[-1].texts]
    assert labels == ["P10", "P50", "P90"]
    plans = [bo.optimize(best.scenario.replace(series=year.series)).metrics.net_revenue for year in years]
    assert best.years["revenue"].tolist() == pytest.approx(plans, rel=1e-9)


def test_any_executor_gives_the_same() -> None:
    scenario = _site(site={"export_limit_mw": 1.0})
    years = _years(scenario, (0.8, 1.2))
    with ThreadPoolExecutor(1) as executor:
        one = bo.size(scenario, BOTH, (0.5, 4.0), price_years=years, executor=executor)
    other = bo.size(scenario, BOTH, (0.5, 4.0), price_years=years)
    assert (one.power_mw, one.value, one.bound) == (other.power_mw, other.value, other.bound)
    pd.testing.assert_frame_equal(one.table, other.table)


def test_what_the_power_of_each_battery_can_be_worth(proven: bo.JointSizing) -> None:
    """The profile is above every choice planned and its highest is the bound; the picture shows both batteries."""
    profile = proven.profile()
    assert list(profile.columns) == ["battery", "power_mw", "bound"]
    for name, of_power in profile.groupby("battery"):
        assert of_power["bound"].max() <= proven.bound * (1.0 + 1e-9)  # type: ignore[operator]
        at = np.interp(proven.power_mw[name], of_power["power_mw"], of_power["bound"])  # type: ignore[index]
        assert at >= proven.value * (1.0 - 2e-3)
    texts = [axes.get_title(loc="left") for axes in proven.plot(theme="dark").axes]
    assert texts == [f"Net present value by the power of {name}, all other sizes free" for name in ("north", "south")]
    with pytest.raises(ValueError, match="grey"):
        proven.plot(theme="grey")


def test_the_report_is_about_the_sizes_bought(dear: tuple[bo.Scenario, bo.JointSizing]) -> None:
    """The page decides, shows the sizing and is refused for another site."""
    stated, best = dear
    page = bo.report(stated, sizing=best)
    assert "; no south: net present value" in page
    assert "No choice of the range has more than" in page
    assert "the other sizes free" in page
    with pytest.raises(bo.ScenarioError) as raised:
        bo.report(_site(spread=1.0), sizing=best)
    (problem,) = raised.value.problems
    assert problem.where == "sizing"
    assert "differs from the scenario in more than its size" in problem.found


def _negative() -> bo.Scenario:
    """Prices at which a relaxed plan runs in and out at once."""
    at = pd.date_range("2025-03-01", periods=6, freq="h", tz="UTC", name="time")
    price = [102.0, -173.0, 5.0, -54.0, -47.0, -33.0]
    lossy = CELLS | {"eta_charge": 0.9, "eta_discharge": 0.9}
    plain = {"ac_to_dc": 1.0, "dc_to_ac": 1.0}
    batteries = [
        {"name": name, "power_mw": 1.0, "duration_h": 2.0, "technology": lossy, "converters": plain} for name in BOTH
    ]
    return _site(battery=batteries, site={"import_limit_mw": 1.5, "export_limit_mw": 1.0}).replace(
        series=pd.DataFrame({"price_per_mwh": price}, index=at)
    )


@pytest.mark.second_tier
def test_branches_close_what_the_relaxation_leaves_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """With two flows at once the bound is 5 per mille above any plan; held at zero by turns, value meets bound."""
    scenario = _negative()
    closed = bo.size(scenario, BOTH, (0.5, 4.0), tolerance=1e-3)
    monkeypatch.setattr("bess_opt.investment.joint.branches.MOST_WORK", 0)
    open_one = bo.size(scenario, BOTH, (0.5, 4.0), tolerance=1e-3)
    assert closed.gap is not None
    assert open_one.gap is not None
    assert closed.gap <= 1e-3 < 4e-3 < open_one.gap
    assert any(finding.code == "gap_open" for finding in open_one.findings)
    assert not any(finding.code == "gap_open" for finding in closed.findings)


def test_the_smallest_sizes_of_a_burdened_battery_are_under_the_bound() -> None:
    """A battery that asks for load is bought however small: the bound of its choices holds down to no power."""
    scenario = _site().replace(battery={"south": {"auxiliary_mw": 1e-7}})
    best = bo.size(scenario, BOTH, (0.5, 4.0), tolerance=1e-6)
    assert best.limits is not None
    (part,) = [planes for names, planes in best.limits.parts if set(names) == set(BOTH)]
    most = best.limits.weights
    tiny = (2.0, 4.0), (1e-6, 2e-6)
    priced = scenario.replace(
        battery={"north": {"power_mw": 2.0, "duration_h": 2.0}, "south": {"power_mw": 1e-6, "duration_h": 2.0}}
    )
    value = most.npv(bo.optimize(priced).metrics.net_revenue, 2.0 + 1e-6, 4.0 + 2e-6)
    assert value <= part.bound_at(most, tiny) + 1e-9
    assert value <= part.highest_with(most, 1, 1e-6) + 1e-6


def test_what_years_reach() -> None:
    """P90 is reached or exceeded in nine years of ten."""
    values = [float(value) for value in range(1, 11)]
    assert [exceeded(values, share) for share in (0.1, 0.5, 0.9)] == [10.0, 6.0, 2.0]
    assert exceeded([7.0], 0.9) == 7.0


@pytest.mark.parametrize(
    ("arguments", "where", "said"),
    [
        ({"power_mw": {"nort": (0, 2), "south": (0, 2)}}, "power_mw", "no battery is named 'nort'"),
        ({"power_mw": {"north": (0, 2)}}, "power_mw", "does not name south"),
        ({"power_mw": (0, 2)}, "power_mw", "give a range by name for north, south"),
        ({"duration_h": {"north": (1, 2)}}, "duration_h", "does not name south"),
        ({"power_mw": {"north": (0, 2), "south": (3, 2)}}, "power_mw of south", "least <= most"),
        ({"module": {"east": (1, 2)}}, "module", "no battery is named 'east'"),
        ({"objective": "irr"}, "objective", "give npv, net_revenue, score"),
        ({"twin": "rule"}, "twin", "rules are sized for one battery and one year"),
        ({"price_years": []}, "price_years", "give at least one scenario"),
    ],
)  # fmt: skip
def test_what_is_refused(arguments: dict[str, Any], where: str, said: str) -> None:
    """Each before anything is solved, with its place and what would be right."""
    with pytest.raises(bo.ScenarioError) as raised:
        bo.size(_site(), **({"power_mw": BOTH, "duration_h": (0.5, 4.0)} | arguments))
    (problem,) = raised.value.problems
    assert problem.where == where
    assert said in f"{problem.found}; {problem.expected}"


def test_years_that_differ_in_more_than_their_series() -> None:
    scenario = _site()
    other = scenario.replace(site={"export_limit_mw": 1.0})
    short = scenario.replace(series=scenario.series.iloc[:6])
    with pytest.raises(bo.ScenarioError) as raised:
        bo.size(scenario, BOTH, (0.5, 4.0), price_years=[scenario, other, short])
    told = [(problem.where, problem.found) for problem in raised.value.problems]
    assert told == [
        ("price_years[1]", "differs from the scenario in site"),
        ("price_years[2]", "has 6 steps where the scenario has 12"),
    ]
    assert "scenario.replace(series=...)" in raised.value.problems[0].expected


def test_a_free_end_is_refused_by_its_battery() -> None:
    free = _site().replace(battery={"south": {"soc_end": "free"}})
    with pytest.raises(bo.ScenarioError, match=r"south.*soc_end"):
        bo.size(free, BOTH, (0.5, 4.0))


def test_cells_added_later_are_refused() -> None:
    stated = _site()
    assert stated.finance is not None
    asked = stated.replace(finance=stated.finance.to_plain() | {"augmentation": "search"})
    with pytest.raises(bo.ScenarioError) as raised:
        bo.size(asked, BOTH, (0.5, 4.0))
    (problem,) = raised.value.problems
    assert problem.where == "finance.augmentation"
    assert "is 'search'" in problem.found
    assert "bo.financials(bo.optimize(sizing.plan.scenario.replace(" in problem.expected


def test_the_best_years_of_replacement_are_looked_for() -> None:
    """With fast fade and cheap cells the best is above that of any one year stated, and below the bound."""
    money = {"fade_per_year": 0.1, "replacement_per_mwh": 20.0}
    site = _site()
    assert site.finance is not None
    plain = site.finance.to_plain() | money
    fixed = dict.fromkeys(BOTH, 1.0)
    best = bo.size(site.replace(finance=plain | {"replacement_years": "search"}), fixed, 2.0)
    assert best.scenario.finance is not None
    assert best.scenario.finance.replacement_years not in ("search", None, ())
    assert best.bound is not None
    for years in ([5], [3, 6]):
        other = bo.size(site.replace(finance=plain | {"replacement_years": years}), fixed, 2.0)
        assert other.value <= best.value + 1e-6 * abs(best.value) <= best.bound + 2e-6 * abs(best.value)
