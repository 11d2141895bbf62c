"""The programs that the benchmark writes in other tools are the one that it writes as arrays."""

from __future__ import annotations

import sys

import pytest
from support.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

from floors import arrays
from peers import installed
from workloads import available, first_steps

pytestmark = [pytest.mark.second_tier, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("tool", ["cvxpy", "linopy", "pypsa"])
@pytest.mark.parametrize("name", ["solar_merchant", "arbitrage_15min"])
def test_same_optimum(tool: str, name: str) -> None:
    """A week, with sun and with a daily limit of cycles, to 1e-7; PyPSA has no such limit and says so."""
    if tool not in installed():
        pytest.skip("the extra peers is not installed")
    scenario = first_steps(available()[name].scenario(), 168)
    if (tool, name) == ("pypsa", "arbitrage_15min"):
        with pytest.raises(ValueError, match="daily limit"):
            installed()[tool](scenario)
        return
    assert installed()[tool](scenario) == pytest.approx(arrays(scenario), rel=1e-7)
