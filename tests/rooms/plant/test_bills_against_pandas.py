"""Bills of random tariffs equal a second calculation, written step by step in pandas from what each key means."""

from __future__ import annotations

import pytest
from support.bill_by_hand import Bill
from support.random_tariffs import OFF, random_billed

import bess_opt as bo
from bess_opt.plant.from_scenario import plant_of


def compared(seed: int) -> tuple[dict[str, float], dict[str, float], float]:
    """(ours, theirs, size of the bill) of a random tariff."""
    of = random_billed(seed)
    scenario = bo.Scenario(
        battery={"power_mw": 1.0, "duration_h": 2.0}, series=of.series, site={"holidays": list(OFF)}, tariff=of.tariff
    )
    billing = plant_of(scenario).billing
    assert billing is not None
    paid = billing.amounts(of.import_mw, of.export_mw)
    ours = {"energy_revenue": float(billing.energy.settled(of.import_mw, of.export_mw)[2].sum())}
    ours |= {f"{name}_charges": paid[name] for name in ("demand", "overrun", "fixed", "minimum")}
    theirs = Bill(of.tariff, of.series.index, of.import_mw, of.export_mw, of.prices, set(OFF)).lines()
    size = sum(abs(amount) for amount in theirs.values())
    return ours | {"credits": paid["credits"]}, theirs, size


def hold(seeds: range) -> None:
    for seed in seeds:
        ours, theirs, size = compared(seed)
        for line, amount in theirs.items():
            assert ours[line] == pytest.approx(amount, rel=0.0, abs=1e-9 * max(size, 1.0)), (seed, line)


def test_random_tariffs() -> None:
    """All features mixed, clock changes, leap years, part months, 5 to 60 minutes."""
    hold(range(30))


@pytest.mark.second_tier
@pytest.mark.parametrize("block", range(9))
def test_three_hundred_random_tariffs(block: int) -> None:
    """The same on 270 more."""
    hold(range(30 + 30 * block, 60 + 30 * block))
