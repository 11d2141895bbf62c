"""How results show themselves in a notebook: small tables and a small picture, self-contained, every text escaped."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from matplotlib.figure import Figure

from bess_opt.common.findings import Finding, Findings
from bess_opt.common.wording import comparison_table, dispatch_rows, scenario_rows
from bess_opt.comparison.compare import Comparison
from bess_opt.dispatch.result import Dispatch
from bess_opt.inputs.scenario import Scenario
from bess_opt.inputs.series.time_axis import counted
from bess_opt.investment.lifetime.financials import Financials, financial_rows
from bess_opt.investment.sizing.key_figures import sizing_rows
from bess_opt.investment.sizing.size import Sizing
from bess_opt.plots.cash_flow import cash_flow_figure
from bess_opt.plots.page import figure_png
from bess_opt.plots.sizing import surface_figure
from bess_opt.plots.week import week_figure

SMALL_DPI = 64
SHOWN = 8  # findings; the rest is counted
_MARKS = {"error": "✖ error", "warning": "▲ warning", "recommendation": "• note"}
_CELL = "text-align:left;padding:2px 14px 2px 0;vertical-align:top"


def findings_html(findings: Findings) -> str:
    """A row per finding, errors first."""
    order = [*findings.errors, *findings.warnings, *findings.recommendations]
    if not order:
        return _box("findings", "<p>nothing was found</p>")
    return _box(counted(len(order), "finding"), _findings_table(order))


def scenario_html(scenario: Scenario) -> str:
    """Battery, site, series and strategy, and what was assumed."""
    notes = _findings_table(scenario.notes) if scenario.notes else ""
    return _box(f"Scenario {scenario.name}", _pairs(scenario_rows(scenario)) + notes)


def dispatch_html(plan: Dispatch) -> str:
    """Key figures, warnings and a week of the plan."""
    battery = plan.scenario.battery
    figure = week_figure(
        plan.schedule,
        energy_mwh=battery.energy_mwh,
        currency=plan.scenario.site.currency,
        soc_start=battery.soc_start_resolved,
        step_h=plan.scenario.step_h,
    )
    warned = [*plan.findings.errors, *plan.findings.warnings]
    notes = _findings_table(warned) if warned else ""
    title = f"{plan.scenario.name}: {plan.twin}"
    return _box(title, _pairs(dispatch_rows(plan)) + notes + _picture(figure, f"{title}, power, SOC and price"))


def comparison_html(comparison: Comparison) -> str:
    """The ladder as a table, with what was left out."""
    header, rows = comparison_table(comparison)
    notes = _findings_table(list(comparison.notes)) if len(comparison.notes) else ""
    return _box(f"Comparison for {comparison.scenario.name}", _table(header, rows) + notes)


def financials_html(money: Financials) -> str:
    """Worth over the life, and the cash flow where it has years."""
    warned = list(money.findings)
    notes = _findings_table(warned) if warned else ""
    table = money.cash_flow
    drawn = "" if table is None else _picture(cash_flow_figure(table, currency=money.currency), "cash flow by year")
    return _box("Financials", _pairs(financial_rows(money)) + notes + drawn)


def sizing_html(sizing: Sizing) -> str:
    """The best size, its proof and the value over power and duration."""
    warned = list(sizing.findings)
    notes = _findings_table(warned) if warned else ""
    title = f"Size of {sizing.scenario.name}"
    drawn = _picture(surface_figure(sizing), f"{title}, value over power and duration")
    return _box(title, _pairs(sizing_rows(sizing)) + notes + drawn)


def _box(title: str, inside: str) -> str:
    return f'<div style="max-width:860px"><p><strong>{escape(title)}</strong></p>{inside}</div>'


def _pairs(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(
        f'<tr><th scope="row" style="{_CELL};font-weight:normal;opacity:0.75">{escape(name)}</th>'
        f'<td style="{_CELL}">{escape(value)}</td></tr>'
        for name, value in rows
    )
    return f'<table style="border-collapse:collapse">{cells}</table>'


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col" style="{_CELL}">{escape(cell)}</th>' for cell in header)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in row) + "</tr>" for row in rows
    )
    return f'<table style="border-collapse:collapse"><tr>{top}</tr>{body}</table>'


def _findings_table(findings: Sequence[Finding]) -> str:
    rows = [(_MARKS[finding.severity], finding.where, f"{finding.found}; {finding.expected}") for finding in findings]
    rows = [(mark.replace(" ", "\N{NO-BREAK SPACE}"), where, what) for mark, where, what in rows]
    more = f"<p>and {len(rows) - SHOWN} more</p>" if len(rows) > SHOWN else ""
    return _table(("", "where", "what"), rows[:SHOWN]) + more


def _picture(figure: Figure, text: str) -> str:
    content = base64.b64encode(figure_png(figure, dpi=SMALL_DPI)).decode()
    return f'<img style="max-width:100%" alt="{escape(text)}" src="data:image/png;base64,{content}">'
