"""The bill as a table: it adds up to the ledger, and names the steps that set a peak."""

from __future__ import annotations

import pandas as pd
import pytest
from support.random_tariffs import OFF, random_billed

import bess_opt as bo
from bess_opt.plant.billing.lines import bill_table
from bess_opt.plant.from_scenario import plant_of


@pytest.mark.parametrize("seed", range(0, 20, 2))
def test_the_lines_add_up_to_the_bill(seed: int) -> None:
    of = random_billed(seed, days=5, step_min=60)
    scenario = bo.Scenario(
        battery={"power_mw": 1.0, "duration_h": 2.0}, series=of.series, site={"holidays": list(OFF)}, tariff=of.tariff
    )
    billing = plant_of(scenario).billing
    assert billing is not None
    table = bill_table(billing, pd.DatetimeIndex(of.series.index), of.import_mw, of.export_mw)
    paid = sum(billing.amounts(of.import_mw, of.export_mw).values())
    paid -= float(billing.energy.settled(of.import_mw, of.export_mw)[2].sum())
    assert float(table["money"].sum()) == pytest.approx(paid, rel=1e-9, abs=1e-6)
    known = table[table["quantity"] != 0.0]
    assert (known["quantity"] * known["rate"]).tolist() == pytest.approx(known["money"].tolist())


def two_months() -> bo.Scenario:
    index = pd.date_range("2025-01-01", "2025-03-01", freq="h", tz="UTC", inclusive="left", name="time")
    load = pd.Series(1.0, index=index)
    load.loc["2025-01-10 12:00"] = 4.0
    tariff = {
        "export": "none",
        "fixed_per_month": 50.0,
        "energy": [{"price_per_mwh": 100.0}],
        "demand": [{"price_per_mw_month": 1000.0, "ratchet": {"share": 0.5}}],
    }
    return bo.Scenario(
        battery={"power_mw": 1.0, "duration_h": 2.0, "soc_start": 0.5, "soc_end": "equal"},
        series=pd.DataFrame({"load_mw": load}),
        tariff=tariff,
        strategy="peak_shaving",
    )


def test_a_bill_by_hand() -> None:
    """747 and 672 MWh at 100; 4 MW in January, half of it in February by the ratchet, set on the 10th."""
    made = bo.bill(two_months())
    lines = made.table.set_index(["month", "line"])
    assert lines.loc[("2025-01", "tariff.energy[0] import"), "money"] == pytest.approx(74_700.0)
    assert lines.loc[("2025-02", "tariff.energy[0] import"), "quantity"] == pytest.approx(672.0)
    january, february = (lines.loc[(month, f"tariff.demand[0] {month}")] for month in ("2025-01", "2025-02"))
    assert (january["quantity"], february["quantity"]) == (4.0, 2.0)
    assert january["step"] == february["step"] == "2025-01-10 12:00+00:00"
    assert made.total == pytest.approx(74_700.0 + 67_200.0 + 4_000.0 + 2_000.0 + 100.0)
    assert made.by_month["2025-02"] == pytest.approx(67_200.0 + 2_000.0 + 50.0)


def test_the_bill_of_a_plan_is_its_net_revenue() -> None:
    plan = bo.optimize(two_months())
    assert plan.bill.total == pytest.approx(-plan.metrics.net_revenue, rel=1e-12)
    assert plan.bill.total < bo.bill(two_months()).total
    assert plan.bill.without_mw is not None
    assert plan.bill.without_battery is not None
    assert float(plan.bill.without_battery["money"].sum()) == pytest.approx(bo.bill(two_months()).total)
    panel = plan.bill.plot("2025-01").axes[0]
    assert panel.get_xlabel() == "local time [day], UTC"
    marked = next(line for line in panel.lines if line.get_label() == "sets a peak")
    assert marked.get_ydata() == pytest.approx([plan.schedule["import_mw"].loc["2025-01"].max()])
    with pytest.raises(ValueError, match="month: '2024-01' is not in the bill; give one of 2025-01, 2025-02"):
        plan.bill.plot("2024-01")


def test_a_floor_or_history_set_no_step() -> None:
    row = {"price_per_mw_month": 1000.0, "minimum_mw": 9.0}
    made = bo.bill(two_months().replace(tariff={"demand": [row]}))
    assert set(made.table.loc[made.table["unit"] == "MW", "step"]) == {""}


def test_a_least_bill_that_binds_in_a_part_of_a_month_is_told() -> None:
    """Half of January at 1 MW and 100 is 36,000: 4,000 are missing to 40,000; whole months and lower bills say nothing."""
    index = pd.date_range("2025-01-01", periods=360, freq="h", tz="UTC", name="time")
    half = bo.Scenario(
        battery={"power_mw": 1.0, "duration_h": 2.0, "soc_end": "equal"},
        series=pd.DataFrame({"load_mw": 1.0}, index=index),
        tariff={"export": "none", "energy": [{"price_per_mwh": 100.0}], "minimum_per_month": 40_000.0},
        strategy="self_consumption",
    )
    for told in (bo.bill(half).findings, bo.optimize(half).findings, bo.replay(bo.optimize(half)).findings):
        binding = [finding for finding in told if finding.code == "minimum_binds"]
        assert len(binding) == 1
        assert "40,000.00 binds in 2025-01 (4,000.00 on top)" in binding[0].found
    enough = half.replace(tariff={"minimum_per_month": 30_000.0})
    assert not bo.bill(enough).findings
    whole = two_months().replace(tariff={"minimum_per_month": 1e6})
    assert not bo.bill(whole).findings
