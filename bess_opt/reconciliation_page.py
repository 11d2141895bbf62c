"""A `Reconciliation` as a page of Markdown: one table per account, residuals beside their terms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bess_opt.reconciliation import CASH, Account, MoneyLine

if TYPE_CHECKING:
    from bess_opt.reconciliation import Reconciliation


def page(books: Reconciliation) -> str:
    """The whole page; the same books give the same text."""
    parts = [
        f"# Reconciliation: {books.scenario}, {books.twin}",
        f"Energy closes to {books.energy_residual:.1e} of what the site handled, money to {books.money_residual:.1e} "
        "of what changed hands.",
        *(_account(name, account) for name, account in books.energy.items()),
        _money(books),
        _proof(books),
        _input(books),
    ]
    return "\n\n".join(parts) + "\n"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    line = "| " + " | ".join(heads) + " |"
    rule = "|---|" + "---:|" * (len(heads) - 1)
    return "\n".join([line, rule, *("| " + " | ".join(row) + " |" for row in rows)])


def _account(name: str, account: Account) -> str:
    rows = [(term, f"{amount:,.6f}") for term, amount in account.terms.items()]
    rows.append(("residual", f"{account.residual:.1e}"))
    rows.append((f"most of a step, {account.worst_time.isoformat()}", f"{account.worst_step:.1e}"))
    return f"## Energy, {name}\n\n{_table(('term', 'MWh'), rows)}"


def _money(books: Reconciliation) -> str:
    heads = (f"term, {books.currency}", "booked", "computed again", "residual")
    cash = [_line(name, line) for name, line in books.ledger.items() if name in CASH]
    other = [_line(name, line) for name, line in books.ledger.items() if name not in CASH]
    detail = [(name, f"{amount:,.2f}") for name, amount in books.detail.items()]
    return "\n\n".join(
        [
            "## Money, received positive",
            _table(heads, [*cash, _line("net revenue", books.net_revenue)]),
            "Not cash:",
            _table(heads, other),
            "In detail:",
            _table((f"term, {books.currency}", "amount"), detail),
        ]
    )


def _line(name: str, line: MoneyLine) -> tuple[str, ...]:
    booked, again = (f"{amount + 0.0:,.2f}" for amount in (line.booked, line.again))
    return name.replace("_", " "), booked, again, f"{line.residual:.1e}"


def _proof(books: Reconciliation) -> str:
    found = books.certificate
    if found is None:
        return f"## Proof\n\nNone: {books.no_certificate}."
    rows = [
        ("primal, cᵀx of this plan", f"{found.primal:,.6f}"),
        ("dual, a bound for its on/off pattern", f"{found.dual:,.6f}"),
        ("gap, as a share of the turnover", f"{found.gap:.1e}"),
        ("largest broken row or bound, MW or MWh", f"{found.primal_violation:.1e}"),
        ("largest price on a side that is not there", f"{found.dual_violation:.1e}"),
        ("bound over every on/off pattern", _number(books.bound)),
        ("objective, as reported", _number(books.objective)),
    ]
    return f"## Proof\n\nIn the strategy's own objective, maximised.\n\n{_table(('figure', 'value'), rows)}"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:,.6f}"


def _input(books: Reconciliation) -> str:
    lines = []
    for word, findings in books.done.items():
        lines += [f"- {word}: {finding.sentence()}" for finding in findings] or [f"- {word}: nothing"]
    versions = ", ".join(f"{name} {version}" for name, version in books.versions.items())
    lines += [f"- scenario sha256: {books.digest}", f"- versions: {versions}"]
    return "## Input\n\n" + "\n".join(lines)
