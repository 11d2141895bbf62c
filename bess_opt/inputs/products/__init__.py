"""Shipped definitions of market products: what a market asks of a product, by name and the date it is in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding


def definition(name: str, at: pd.Timestamp) -> tuple[Mapping[str, Any], list[Finding]]:
    """(keys of a `[[product]]` table, findings about them) of the definition `name` in force at `at`.

    ScenarioError, placed at "use", for a name that is no definition. Findings are warnings: a definition past its
    expiry, or one that changes later.
    """
    found = f"no definition is named {name!r} at {at.date().isoformat()}"
    raise ScenarioError([Finding("unknown_product", "use", found, "leave use out and state the product's keys")])
