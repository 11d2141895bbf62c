"""A `Reconciliation` as a page of Markdown: a table per account, residuals beside their terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bess_opt.dispatch.reconciliation_tables import Table, summary, tables

if TYPE_CHECKING:
    from bess_opt.dispatch.reconciliation import Reconciliation


def page(books: Reconciliation) -> str:
    """The whole page; the same books give the same text."""
    title = f"# Reconciliation: {books.scenario}, {books.twin}"
    return "\n\n".join([title, summary(books), *map(_section, tables(books))]) + "\n"


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
