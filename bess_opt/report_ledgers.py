"""The ledgers of a report: energy in and out, every money term once, and what each leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bess_opt.dispatch import Dispatch
from bess_opt.key_figures import CASH, ENERGY, TERMS, number
from bess_opt.metrics import Metrics

_IN = ("solar_mwh", "import_mwh", "unserved_mwh")
_OUT = ("load_mwh", "export_mwh", "curtailed_mwh", "losses_mwh", "stored_change_mwh")


@dataclass(frozen=True)
class Ledger:
    """Named rows of numbers, one column per rung; `strong` rows are sums."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...], bool], ...]


def energy_ledger(plans: dict[str, Dispatch]) -> Ledger:
    """Energy in and out of the site with what the balance leaves open."""
    figures = {rung: plan.metrics for rung, plan in plans.items()}

    def row(name: str, sign: str) -> tuple[str, tuple[str, ...], bool]:
        text, _ = ENERGY[name]
        return f"{sign} {text}", tuple(number(getattr(m, name)) for m in figures.values()), False

    residual = tuple(small(m.balance_residual_mwh) for m in figures.values())
    rows = [row(name, "+") for name in _IN] + [row(name, "−") for name in _OUT]
    return Ledger(("MWh", *figures), (*rows, ("= residual of the balance", residual, True)))


def cash_ledger(plans: dict[str, Dispatch], currency: str) -> Ledger:
    """Every money term once, received positive; the cash among them adds up to the net revenue."""
    ledgers = {rung: plan.ledger for rung, plan in plans.items()}
    cash = [_term(name, ledgers) for name in TERMS if name in CASH]
    other = [_term(name, ledgers) for name in TERMS if name not in CASH]
    net = ("= net revenue", tuple(number(plan.metrics.net_revenue) for plan in plans.values()), True)
    residual = tuple(small(_open(plan.metrics, plan.ledger)) for plan in plans.values())
    return Ledger((currency, *ledgers), (*cash, net, ("residual of the cash", residual, False), *other))


def _term(name: str, ledgers: dict[str, Any]) -> tuple[str, tuple[str, ...], bool]:
    return TERMS[name], tuple(number(ledger.get(name, 0.0)) for ledger in ledgers.values()), False


def small(value: float) -> str:
    """A residual: its order of size, or a plain nought."""
    return f"{value:.1e}" if value else "0"


def _open(m: Metrics, ledger: Any) -> float:
    return float(m.net_revenue - sum(ledger.get(name, 0.0) for name in CASH)) + 0.0
