"""Plan and size battery energy storage: exact dispatch, audited and explained.

Every public name is loaded when it is first used, so that `import bess_opt` costs next to nothing.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

TYPE_CHECKING = False  # type checkers take it for true; to import it from typing would take most of the time

if TYPE_CHECKING:
    from typing import Any

    __version__: str
    from bess_opt.common.errors import AuditError as AuditError
    from bess_opt.common.errors import BessOptError as BessOptError
    from bess_opt.common.errors import CancelledError as CancelledError
    from bess_opt.common.errors import InfeasibleError as InfeasibleError
    from bess_opt.common.errors import ScenarioError as ScenarioError
    from bess_opt.common.errors import SolveError as SolveError
    from bess_opt.common.errors import StrategyError as StrategyError
    from bess_opt.common.findings import Relaxation as Relaxation
    from bess_opt.common.progress import Progress as Progress
    from bess_opt.comparison.compare import compare as compare
    from bess_opt.comparison.connection import ConnectionCost as ConnectionCost
    from bess_opt.comparison.connection import connection as connection
    from bess_opt.comparison.convention import convention as convention
    from bess_opt.comparison.price_index import PriceIndex as PriceIndex
    from bess_opt.comparison.price_index import index as index
    from bess_opt.comparison.product_values import ProductValues as ProductValues
    from bess_opt.comparison.product_values import product_values as product_values
    from bess_opt.comparison.published.verify import verify as verify
    from bess_opt.comparison.resilience.resilience import Resilience as Resilience
    from bess_opt.comparison.resilience.resilience import resilience as resilience
    from bess_opt.dispatch.batch.optimize_many import optimize_many as optimize_many
    from bess_opt.dispatch.batch.price_years import monte_carlo as monte_carlo
    from bess_opt.dispatch.batch.study import study as study
    from bess_opt.dispatch.bill import Bill as Bill
    from bess_opt.dispatch.bill import bill as bill
    from bess_opt.dispatch.checks.validate import validate as validate
    from bess_opt.dispatch.forecast_driven.control import control as control
    from bess_opt.dispatch.forecast_driven.forecasts import Forecast as Forecast
    from bess_opt.dispatch.loading import load_dispatch as load_dispatch
    from bess_opt.dispatch.optimize import optimize as optimize
    from bess_opt.dispatch.reconciliation import Reconciliation as Reconciliation
    from bess_opt.dispatch.reconciliation import reconcile as reconcile
    from bess_opt.dispatch.result import Dispatch as Dispatch
    from bess_opt.dispatch.simulate import replay as replay
    from bess_opt.dispatch.simulate import simulate as simulate
    from bess_opt.dispatch.track import BatteryState as BatteryState
    from bess_opt.dispatch.track import Track as Track
    from bess_opt.dispatch.track import step as step
    from bess_opt.dispatch.track_site import SiteTrack as SiteTrack
    from bess_opt.dispatch.track_site import track as track
    from bess_opt.dispatch.used import used as used
    from bess_opt.inputs.battery import Battery as Battery
    from bess_opt.inputs.connection import Clause as Clause
    from bess_opt.inputs.finance import Finance as Finance
    from bess_opt.inputs.outage import Outage as Outage
    from bess_opt.inputs.products.catalogue import products as products
    from bess_opt.inputs.products.market_product import MarketProduct as MarketProduct
    from bess_opt.inputs.products.read_products import read_products as read_products
    from bess_opt.inputs.readers.read_series import read_load as read_load
    from bess_opt.inputs.readers.read_series import read_prices as read_prices
    from bess_opt.inputs.readers.read_series import read_solar as read_solar
    from bess_opt.inputs.readers.tariffs.read_tariff import read_tariff as read_tariff
    from bess_opt.inputs.scenario import Scenario as Scenario
    from bess_opt.inputs.scenario import describe as describe
    from bess_opt.inputs.scenario import load as load
    from bess_opt.inputs.site import Site as Site
    from bess_opt.inputs.solar.profile import solar as solar
    from bess_opt.inputs.solver_options import SolverOptions as SolverOptions
    from bess_opt.inputs.tariff import Tariff as Tariff
    from bess_opt.inputs.technologies import Converters as Converters
    from bess_opt.inputs.technologies import Technology as Technology
    from bess_opt.inputs.technologies import technologies as technologies
    from bess_opt.inputs.technologies import topologies as topologies
    from bess_opt.inputs.technologies.ageing_model import AgeingModel as AgeingModel
    from bess_opt.inputs.technologies.blast_cells import BlastCells as BlastCells
    from bess_opt.inputs.wear import Wear as Wear
    from bess_opt.inputs.wear import wear_from_cycle_life as wear_from_cycle_life
    from bess_opt.interfaces.report.report import report as report
    from bess_opt.investment.joint.result import JointSizing as JointSizing
    from bess_opt.investment.lifetime.ageing import Ageing as Ageing
    from bess_opt.investment.lifetime.ageing import SiteAgeing as SiteAgeing
    from bess_opt.investment.lifetime.ageing import ageing as ageing
    from bess_opt.investment.lifetime.faded_dispatch import Faded as Faded
    from bess_opt.investment.lifetime.faded_dispatch import faded_dispatch as faded_dispatch
    from bess_opt.investment.lifetime.financials import Financials as Financials
    from bess_opt.investment.lifetime.financials import financials as financials
    from bess_opt.investment.lifetime.site_wear_price import SiteWearPrice as SiteWearPrice
    from bess_opt.investment.lifetime.wear_price import WearPrice as WearPrice
    from bess_opt.investment.lifetime.wear_price import wear_price as wear_price
    from bess_opt.investment.sizing.result import Sizing as Sizing
    from bess_opt.investment.sizing.sensitivity import Sensitivity as Sensitivity
    from bess_opt.investment.sizing.sensitivity import sensitivity as sensitivity
    from bess_opt.investment.sizing.size import size as size
    from bess_opt.strategies.shared.catalogue import strategies as strategies

_HOME = {
    "Ageing": "investment.lifetime.ageing",
    "ageing": "investment.lifetime.ageing",
    "AgeingModel": "inputs.technologies.ageing_model",
    "BlastCells": "inputs.technologies.blast_cells",
    "Battery": "inputs.battery",
    "Converters": "inputs.technologies",
    "Technology": "inputs.technologies",
    "technologies": "inputs.technologies",
    "topologies": "inputs.technologies",
    "strategies": "strategies.shared.catalogue",
    "Bill": "dispatch.bill",
    "bill": "dispatch.bill",
    "compare": "comparison.compare",
    "Clause": "inputs.connection",
    "ConnectionCost": "comparison.connection",
    "connection": "comparison.connection",
    "control": "dispatch.forecast_driven.control",
    "convention": "comparison.convention",
    "Dispatch": "dispatch.result",
    "AuditError": "common.errors",
    "BessOptError": "common.errors",
    "CancelledError": "common.errors",
    "Progress": "common.progress",
    "InfeasibleError": "common.errors",
    "ScenarioError": "common.errors",
    "SolveError": "common.errors",
    "StrategyError": "common.errors",
    "Faded": "investment.lifetime.faded_dispatch",
    "faded_dispatch": "investment.lifetime.faded_dispatch",
    "load_dispatch": "dispatch.loading",
    "Finance": "inputs.finance",
    "Financials": "investment.lifetime.financials",
    "financials": "investment.lifetime.financials",
    "Forecast": "dispatch.forecast_driven.forecasts",
    "optimize": "dispatch.optimize",
    "optimize_many": "dispatch.batch.optimize_many",
    "monte_carlo": "dispatch.batch.price_years",
    "Outage": "inputs.outage",
    "MarketProduct": "inputs.products.market_product",
    "index": "comparison.price_index",
    "PriceIndex": "comparison.price_index",
    "product_values": "comparison.product_values",
    "ProductValues": "comparison.product_values",
    "products": "inputs.products.catalogue",
    "Reconciliation": "dispatch.reconciliation",
    "reconcile": "dispatch.reconciliation",
    "Relaxation": "common.findings",
    "read_load": "inputs.readers.read_series",
    "read_prices": "inputs.readers.read_series",
    "read_products": "inputs.products.read_products",
    "read_solar": "inputs.readers.read_series",
    "read_tariff": "inputs.readers.tariffs.read_tariff",
    "Resilience": "comparison.resilience.resilience",
    "resilience": "comparison.resilience.resilience",
    "report": "interfaces.report.report",
    "Scenario": "inputs.scenario",
    "describe": "inputs.scenario",
    "load": "inputs.scenario",
    "Sensitivity": "investment.sizing.sensitivity",
    "sensitivity": "investment.sizing.sensitivity",
    "replay": "dispatch.simulate",
    "simulate": "dispatch.simulate",
    "used": "dispatch.used",
    "Site": "inputs.site",
    "JointSizing": "investment.joint.result",
    "Sizing": "investment.sizing.result",
    "size": "investment.sizing.size",
    "solar": "inputs.solar.profile",
    "SolverOptions": "inputs.solver_options",
    "study": "dispatch.batch.study",
    "Tariff": "inputs.tariff",
    "BatteryState": "dispatch.track",
    "Track": "dispatch.track",
    "step": "dispatch.track",
    "SiteAgeing": "investment.lifetime.ageing",
    "SiteTrack": "dispatch.track_site",
    "track": "dispatch.track_site",
    "validate": "dispatch.checks.validate",
    "verify": "comparison.published.verify",
    "Wear": "inputs.wear",
    "wear_from_cycle_life": "inputs.wear",
    "wear_price": "investment.lifetime.wear_price",
    "SiteWearPrice": "investment.lifetime.site_wear_price",
    "WearPrice": "investment.lifetime.wear_price",
}

__all__ = sorted(_HOME)


class _Package(ModuleType):
    """A folder bears the name of a verb: importing `bess_opt.strategies` must not hide `bo.strategies`."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("bess-opt")
    if name not in _HOME:
        raise AttributeError(f"module 'bess_opt' has no attribute {name!r}")
    return getattr(importlib.import_module(f"bess_opt.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
