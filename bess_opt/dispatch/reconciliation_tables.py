"""The books of a plan as tables of text, for every page that shows them; other plans' books may stand beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, log10
from typing import TYPE_CHECKING

from bess_opt.plant.ledger import LINES

if TYPE_CHECKING:
    from bess_opt.dispatch.reconciliation import Account, Reconciliation

SHOWN = ("energy",)  # lines that stand there even if they come to nothing
NONE = "–"
OPEN = 1e-9  # of the largest term: less is rounding, whenever it comes


@dataclass(frozen=True)
class Row:
    """A term and its cells; `total` for what others add up to, or leave open."""

    term: str
    cells: tuple[str, ...]
    total: bool = False


@dataclass(frozen=True)
class Table:
    """One account: title, a note, a head over each column, rows; `words` if its cells are not numbers."""

    title: str
    note: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    words: bool = False


def tables_of(books: Reconciliation, beside: Mapping[str, Reconciliation] | None = None) -> tuple[Table, ...]:
    """Energy accounts, money, its detail, proof and input of `books`.

    The books of other plans for the same site, by name, add a column each to the accounts of energy and money.
    """
    every = {books.twin: books, **(beside or {})}
    return (
        *(_energy(name, every) for name in books.energy),
        _money(books, every),
        _detail(books.currency, every),
        _proof(books),
        _input(books),
    )


def summary_of(books: Reconciliation) -> str:
    """One sentence: by how much energy and money of the tables do not add up."""
    energy, money = small(books.energy_residual), small(books.money_residual)
    return f"Energy closes to {energy} of what the battery moved, money to {money} of what changed hands."


def small(value: float) -> str:
    """A residual: its order of size, or a plain nought."""
    return f"{value:.1e}" if value else "0"


def _energy(name: str, every: Mapping[str, Reconciliation]) -> Table:
    accounts = {plan: books.energy[name] for plan, books in every.items() if name in books.energy}
    largest = max(abs(amount) for account in accounts.values() for amount in account.terms.values())
    digits = min(9, max(2, 6 - floor(log10(largest)))) if largest else 2  # seven figures of the largest term
    first: Account = next(iter(accounts.values()))
    rows = [
        *(
            Row(term, tuple(f"{account.terms[term]:,.{digits}f}" for account in accounts.values()))
            for term in first.terms
        ),
        Row("residual", tuple(small(account.residual) for account in accounts.values()), total=True),
        Row("most that a step leaves open", tuple(small(account.worst_step) for account in accounts.values())),
    ]
    worst = tuple(_worst(account, OPEN * largest) for account in accounts.values())
    rows += [Row("in the step from", worst)] if set(worst) != {NONE} else []
    note = "What comes in is positive, what leaves is negative; together they should be 0."
    return Table(f"Energy, {name}", note, ("MWh", *accounts), tuple(rows))


def _worst(account: Account, least: float) -> str:
    """When a step leaves the most open, unless that is rounding."""
    return f"{account.worst_time:%Y-%m-%d %H:%M%z}" if account.worst_step > least else NONE


def _money(books: Reconciliation, every: Mapping[str, Reconciliation]) -> Table:
    """What each plan booked, and for `books` the same computed again from flows and prices."""

    def row(name: str, term: str) -> Row:
        line, booked = books.ledger[name], [other.ledger.get(name) for other in every.values()]
        own, *others = [NONE if found is None else _cents(found.booked) for found in booked]
        return Row(term, (own, _cents(line.again), small(line.residual), *others))

    kept = [
        name for name, line in books.ledger.items() if name not in LINES or line.booked or line.again or name in SHOWN
    ]
    named = {name: LINES[name].label if name in LINES else name.replace("_", " ") for name in kept}
    cash = [row(name, term) for name, term in named.items() if name in LINES and LINES[name].cash]
    other = [row(name, term) for name, term in named.items() if name not in LINES or not LINES[name].cash]
    first, *nets = [_cents(found.net_revenue.booked) for found in every.values()]
    again, left = _cents(books.net_revenue.again), small(books.net_revenue.residual)
    total = Row("net revenue", (first, again, left, *nets), total=True)
    lines = [
        Row("largest residual, share of all money", ("", "", *(small(b.money_residual) for b in every.values())))
    ]
    own, *others = every
    return Table(
        "Money, received positive",
        "Wear, penalties and stored value steer the plan and are no cash; lines of nothing are left out.",
        (books.currency, own if others else "booked", "computed again", "residual", *others),
        (*cash, total, *other, *(lines if others else ())),
    )


def _detail(currency: str, every: Mapping[str, Reconciliation]) -> Table:
    """Energy money by direction, demand charges by billed period."""
    terms = dict.fromkeys(term for books in every.values() for term in books.detail)
    rows = (
        Row(term, tuple(_cents(books.detail[term]) if term in books.detail else NONE for books in every.values()))
        for term in terms
    )
    own = ("amount",) if len(every) == 1 else tuple(every)
    return Table("Money in detail", "Computed from the flows.", (currency, *own), tuple(rows))


def _cents(amount: float) -> str:
    return f"{round(amount, 2) + 0.0:,.2f}"


def _proof(books: Reconciliation) -> Table:
    """Primal and dual value, and what the solver reported."""
    found, heads = books.certificate, ("figure", "value")
    reported = {name: f"{value:,}" if isinstance(value, int) else str(value) for name, value in books.solved.items()}
    if found is None:
        return Table("Proof", f"None: {books.no_certificate}.", heads, _named(reported))
    proven = {
        "primal, cᵀx of this plan": f"{found.primal:,.6f}",
        "dual, a bound for its on/off pattern": f"{found.dual:,.6f}",
        "gap, as a share of the turnover": small(found.gap),
        "largest broken row or bound, MW or MWh": small(found.primal_violation),
        "largest price on a side that is not there": small(found.dual_violation),
        "bound over every on/off pattern": NONE if books.bound is None else f"{books.bound:,.6f}",
        "objective, as reported": NONE if books.objective is None else f"{books.objective:,.6f}",
    }
    for row in found.wear:
        why = f"; not claimed to agree: {'; '.join(row.reasons)}" if row.reasons else ""
        proven[f"wear of {row.battery}, in the model"] = f"{row.modelled:,.6f}"
        proven[f"wear of {row.battery}, by rainflow counting"] = f"{row.rainflow:,.6f}"
        proven[f"wear of {row.battery}, difference"] = f"{small(row.difference)}{why}"
    note = (
        "In the strategy's own objective, maximised. Primal and dual are computed from the program's numbers; "
        "below them stands what the solver reported."
    )
    return Table("Proof", note, heads, _named(proven | reported))


def _input(books: Reconciliation) -> Table:
    """What was done to the input, and what it takes to get the plan again."""
    done = [
        Row(word, (sentence,))
        for word, findings in books.done.items()
        for sentence in [finding.sentence() for finding in findings] or ["nothing"]
    ]
    again = {
        "scenario sha256": books.digest,
        "versions": ", ".join(f"{name} {version}" for name, version in books.versions.items()),
    }
    note = "What was done to the input, and what the plan was made from and with."
    return Table("Input", note, ("", ""), (*done, *_named(again)), words=True)


def _named(pairs: Mapping[str, str]) -> tuple[Row, ...]:
    return tuple(Row(name, (value,)) for name, value in pairs.items())


def page(books: Reconciliation) -> str:
    """The whole page; the same books give the same text."""
    title = f"# Reconciliation: {books.scenario}, {books.twin}"
    return "\n\n".join([title, summary_of(books), *map(_section, tables_of(books))]) + "\n"


def _section(table: Table) -> str:
    parts = [f"## {table.title}", table.note]
    if table.words:
        parts.append("\n".join(f"- {row.term}: {row.cells[0]}" for row in table.rows))
    elif table.rows:
        lines = [_line(table.heads), "|---|" + "---:|" * (len(table.heads) - 1)]
        parts.append("\n".join([*lines, *(_line((row.term, *row.cells)) for row in table.rows)]))
    return "\n\n".join(parts)


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
