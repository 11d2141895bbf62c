"""JSON schema of scenario.toml, made from the frozen types, for editors and other tools."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from bess_opt.common.input_table import Text
from bess_opt.inputs.battery import Battery
from bess_opt.inputs.connection import Clause
from bess_opt.inputs.finance import Finance
from bess_opt.inputs.outage import Outage
from bess_opt.inputs.products.market_product import MarketProduct
from bess_opt.inputs.series.clean import SeriesOptions
from bess_opt.inputs.site import Site
from bess_opt.inputs.solver_options import SolverOptions
from bess_opt.inputs.tariff import Tariff

_LIMITS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}


class _StrategyTable(BaseModel):
    """A strategy and, beside its name, its own options."""

    model_config = ConfigDict(extra="allow", title="Strategy")

    name: Annotated[Text, Field(description="name of a strategy, see bess_opt.strategies()", min_length=1)]


class _ScenarioFile(BaseModel):
    """A battery at a site over a horizon, with what is wanted of it."""

    model_config = ConfigDict(extra="forbid", title="bess_opt scenario.toml")

    battery: Annotated[
        Battery | Annotated[list[Battery], Field(min_length=1)],
        Field(description="the battery at its port, or several with names"),
    ]
    site: Annotated[Site, Field(description="grid connection, array and permissions")] = Site()
    series: Annotated[SeriesOptions, Field(description="the time series file")] = SeriesOptions()
    strategy: Annotated[
        _StrategyTable | list[_StrategyTable] | None, Field(description="what is wanted; several stack")
    ] = None
    tariff: Annotated[Tariff | None, Field(description="energy and demand prices")] = None
    finance: Annotated[Finance | None, Field(description="capital, upkeep, time and tax")] = None
    connection: Annotated[list[Clause], Field(description="clauses of the connection agreement")] = []
    outage: Annotated[list[Outage], Field(description="hours in which the grid is away")] = []
    product: Annotated[list[MarketProduct], Field(description="market products that pay for capacity held")] = []
    solver: Annotated[SolverOptions, Field(description="limits and seeds of the solver")] = SolverOptions()


def json_schema() -> dict[str, Any]:
    """Schema of scenario.toml (JSON Schema 2020-12); each key has a description with its unit."""
    schema = _ScenarioFile.model_json_schema(mode="validation")
    renamed: dict[str, Any] = _renamed(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **renamed}


def _renamed(node: Any) -> Any:
    """Pydantic writes the limits of a guarded number under its own names."""
    if isinstance(node, dict):
        return {_LIMITS.get(key, key): _renamed(value) for key, value in node.items()}
    return [_renamed(item) for item in node] if isinstance(node, list) else node
