"""How results show themselves in a notebook: small tables, self-contained, every text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_CELL = "text-align:left;padding:2px 14px 2px 0;vertical-align:top"


def box(title: str, inside: str) -> str:
    """HTML `inside` under a title."""
    return f'<div style="max-width:860px"><p><strong>{escape(title)}</strong></p>{inside}</div>'


def pairs(rows: Sequence[tuple[str, str]]) -> str:
    """A table of two columns: what, and how much."""
    cells = "".join(
        f'<tr><th scope="row" style="{_CELL};font-weight:normal;opacity:0.75">{escape(name)}</th>'
        f'<td style="{_CELL}">{escape(value)}</td></tr>'
        for name, value in rows
    )
    return f'<table style="border-collapse:collapse">{cells}</table>'


def html_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with a header; every cell is text and escaped."""
    top = "".join(f'<th scope="col" style="{_CELL}">{escape(cell)}</th>' for cell in header)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in row) + "</tr>" for row in rows
    )
    return f'<table style="border-collapse:collapse"><tr>{top}</tr>{body}</table>'
