"""What the step simulator cannot help is told with the power that the site then has."""

from __future__ import annotations

import numpy as np
import pytest
from support.cases import case

import bess_opt as bo
from bess_opt.plant.from_scenario import plant_of
from bess_opt.plant.stepper_limits import refuse_power


def test_what_rounding_leaves_of_nothing_is_told_as_nothing() -> None:
    """0.3 less (0.1 + 0.2) is -5.6e-17 in double precision; nobody wants to read that of a site."""
    plant = plant_of(case(price_per_mwh=[10.0, 20.0]).scenario())
    limit, excess = np.full(2, -(0.1 + 0.2)), np.array([0.3, 0.0])
    with pytest.raises(bo.InfeasibleError, match=r"the site takes 0 MW, the limit is -0\.3 MW"):
        refuse_power(plant, excess, "the site takes", "connection", limit)
