"""Results as tables for people and as plain objects for JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from bess_opt.dispatch.bill import Bill
    from bess_opt.dispatch.result import Dispatch
    from bess_opt.inputs.battery import Battery

MONEY = "currency"
# key of Metrics: name, unit, whether it is left out where it is zero
FIGURES: dict[str, tuple[str, str, bool]] = {
    "solar_mwh": ("solar", "MWh", True),
    "load_mwh": ("load", "MWh", True),
    "unserved_mwh": ("unserved", "MWh", True),
    "import_mwh": ("import", "MWh", False),
    "export_mwh": ("export", "MWh", False),
    "curtailed_mwh": ("curtailed", "MWh", True),
    "charged_mwh": ("charged", "MWh", False),
    "discharged_mwh": ("discharged", "MWh", False),
    "losses_mwh": ("losses", "MWh", False),
    "stored_change_mwh": ("change in store", "MWh", True),
    "round_trip_efficiency": ("round-trip efficiency", "", False),
    "equivalent_full_cycles": ("full cycles", "", False),
    "cycles_per_day": ("full cycles per day", "1/day", False),
    "utilisation": ("utilisation", "", False),
    "soc_min": ("lowest SOC", "", False),
    "soc_mean": ("mean SOC", "", False),
    "soc_max": ("highest SOC", "", False),
    "peak_import_mw": ("peak import", "MW", False),
    "peak_export_mw": ("peak export", "MW", False),
    "end_shortfall_mwh": ("missing at the end", "MWh", True),
}


def _money_figures() -> dict[str, tuple[str, str, bool]]:
    """The lines of money, net revenue first, as `FIGURES` has the others."""
    from bess_opt.plant.ledger import FIGURE_OF, LINES

    lines = {FIGURE_OF[name]: (line.label, MONEY, name != "energy") for name, line in LINES.items()}
    return {"net_revenue": ("net revenue", MONEY, False)} | lines


def dispatch_json(dispatch: Dispatch) -> dict[str, Any]:
    """A dispatch as one object; the metrics as `Metrics.to_dict` names them."""
    report, names = dispatch.report, [entry.name for entry in dispatch.scenario.strategies]
    return {
        "scenario": dispatch.scenario.name,
        "strategy": names[0] if len(names) == 1 else names,
        "status": report.status if report else dispatch.twin,
        **{key: getattr(report, key, None) for key in ("objective", "bound", "gap")},
        "engine": report.engine if report else None,
        "engine_reasons": list(report.engine_reasons) if report else [],
        "metrics": dispatch.metrics.to_dict(),
        "findings": [finding.to_dict() for finding in dispatch.findings],
        "ledger": dict(dispatch.ledger),
        "figures": dict(dispatch.figures),
        **({} if dispatch.of_batteries is None else {"units": _units(dispatch)}),
        **sold_json(dispatch),
    }


def sold_json(dispatch: Dispatch) -> dict[str, Any]:
    """What each market product earns, and what is left in its worst call: no number where nothing is held.

    Nothing without market products.
    """
    if not len(dispatch.delivery):
        return {}
    left = dispatch.delivery.reset_index().to_dict("records")
    return {
        "products": records(dispatch.products),
        "delivery": [{str(key): _plain(value) for key, value in row.items()} for row in left],
    }


def _plain(value: Any) -> Any:
    """A cell as JSON has it: the time of a step in ISO 8601, None for none."""
    if isinstance(value, str):
        return value
    if value != value or value is None:
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value


def _units(dispatch: Dispatch) -> dict[str, dict[str, float]]:
    """Energy at the port and state of charge of each of several batteries."""
    hours = dispatch.scenario.step_h
    return {
        name: {
            "charged_mwh": float(unit["charge_mw"].sum()) * hours,
            "discharged_mwh": float(unit["discharge_mw"].sum()) * hours,
            "losses_mwh": float(unit["loss_mw"].sum()) * hours,
            "soc_min": float(unit["soc"].min()),
            "soc_mean": float(unit["soc"].mean()),
            "soc_max": float(unit["soc"].max()),
        }
        for name, unit in dispatch.units.items()
    }


def _sizes(battery: Battery, named: bool) -> list[tuple[str, str, str]]:
    whose = f" {battery.name}" if named else ""
    return [
        (f"battery{whose} power", number(battery.power_mw), "MW"),
        (f"battery{whose} energy", number(battery.energy_mwh), "MWh"),
    ]


def dispatch_table(dispatch: Dispatch) -> Table:
    """Key figures of a dispatch with their units."""
    scenario, figures, report = dispatch.scenario, dispatch.metrics.to_dict(), dispatch.report
    currency, batteries = scenario.site.currency, scenario.batteries
    names = " + ".join(entry.name for entry in scenario.strategies)
    rows = [
        *(row for battery in batteries for row in _sizes(battery, len(batteries) > 1)),
        ("status", report.status if report else dispatch.twin, ""),
    ]
    if report:
        rows.append(("gap to the proven bound", f"{report.gap:.1e}" if report.gap else "0", ""))
        rows.append(("solved by", report.solved_by_first, ""))
    rows.append(("score", number(figures["score"]), str(figures["score_unit"]).replace(MONEY, currency)))
    for key, (label, unit, optional) in (_money_figures() | FIGURES).items():
        if figures[key] or not optional:
            rows.append((label, number(figures[key], money=unit == MONEY), unit.replace(MONEY, currency)))
    rows += _sold_rows(dispatch)
    rows += [(name.replace("_", " "), number(value), "") for name, value in dispatch.figures.items()]
    return table(f"{scenario.name}: {names}, {dispatch.twin}", ("figure", "value", "unit"), rows)


def _sold_rows(dispatch: Dispatch) -> list[tuple[str, str, str]]:
    """What each market product earns and what of it is held; the least that is left when called."""
    rows, currency = [], dispatch.scenario.site.currency
    for name, sold in dispatch.products.iterrows():
        money = sold["capacity_revenue"] + sold["activation_revenue"]
        rows += [
            (f"{name}", number(money, money=True), currency),
            (f"{name}, mean held", number(sold["mean_mw"]), "MW"),
        ]
    for key, unit in (("margin_mw", "MW"), ("margin_mwh", "MWh")):
        least = float(dispatch.delivery[key].min()) if len(dispatch.delivery) else math.nan
        if math.isfinite(least):
            rows.append(("left in the worst call", number(max(least, 0.0)), unit))
    return rows


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, lines: bool = False) -> Table:
    """A table of text; columns of numbers, but not the first, stand at the right."""
    from rich.table import Table

    made, listed = Table(title=title, title_justify="left", show_lines=lines), list(rows)
    for place, head in enumerate(heads):
        numeric = place > 0 and any(_is_number(row[place]) for row in listed)
        made.add_column(head, justify="right" if numeric else "left", overflow="fold", no_wrap=place == 0)
    for row in listed:
        made.add_row(*row)
    return made


def number(value: object, *, money: bool = False) -> str:
    """A number for people: five digits that count, money to the cent, a dash for none."""
    if not isinstance(value, int | float):
        return "–" if value is None else str(value)
    if isinstance(value, int) or not math.isfinite(value):
        return f"{value:,}"
    size = math.floor(math.log10(abs(value))) if value else 0
    digits = 2 if money else min(max(4 - size, 0), 9)
    text = f"{value + 0.0:,.{digits}f}"
    return text if money or "." not in text else text.rstrip("0").rstrip(".")


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "").lstrip("-").isdigit()


def records(frame: Any) -> dict[str, dict[str, Any]]:
    """A DataFrame as one table per row."""
    return {str(key): dict(row) for key, row in frame.to_dict("index").items()}


def across(title: str, head: str, entries: Mapping[str, Mapping[str, Any]]) -> Table:
    """A table with a column for each entry and a row for each of their keys."""
    keys = list(next(iter(entries.values()), {}))
    rows = [(key, *(_cell(entry[key]) for entry in entries.values())) for key in keys]
    return table(title, (head, *entries), rows)


def products_table(entries: Mapping[str, Mapping[str, Any]]) -> Table:
    """Market products, a row each: the keys that say what a bid of one is."""
    heads = ("direction", "block_h", "headroom_h", "min_bid_mw", "in_force", "meaning")
    return table(
        "products", ("use", *heads), [(name, *(_cell(row[h]) for h in heads)) for name, row in entries.items()]
    )


def bill_table(bill: Bill) -> Table:
    """A bill's lines, its sum last."""
    rows = [
        (
            str(row["month"]),
            str(row["line"]),
            number(row["quantity"]),
            str(row["unit"]),
            number(row["rate"]),
            number(row["money"], money=True),
            str(row["step"]),
        )
        for row in bill.table.to_dict("records")
    ]
    total = ("", "total", "", "", "", number(bill.total, money=True), "")
    heads = ("month", "line", "quantity", "unit", "rate", f"{bill.currency} paid", "peak set at")
    return table(f"{bill.name}: bill", heads, [*rows, total])


def strategies_table(entries: Mapping[str, Mapping[str, Any]]) -> Table:
    """Strategies one below the other, narrow enough for a terminal."""
    rows = [
        (
            name,
            f"{entry['summary']}\nneeds: {entry['needs'] or 'nothing'}\n"
            f"score: {entry['score_unit']}, {entry['score_sense']}",
            entry["options"] or "none",
        )
        for name, entry in entries.items()
    ]
    return table("strategies", ("name", "what it does", "options"), rows, lines=True)


def verify_table(frame: Any) -> Table:
    """Published figures beside ours; as many digits as it takes to see a difference."""
    heads = ("case", "figure", "published", "ours", "difference", "unit", "verdict", "source")
    rows = [
        (
            row.case,
            row.figure,
            f"{row.published:,.11g}",
            "–" if math.isnan(row.ours) else f"{row.ours:,.12g}",
            "–" if math.isnan(row.ours) else f"{row.difference:.1e}",
            row.unit,
            row.verdict,
            row.source,
        )
        for row in frame.itertuples()
    ]
    counts = ", ".join(f"{count} {verdict}" for verdict, count in frame["verdict"].value_counts().items())
    return table(f"published figures: {counts}", heads, rows)


def _cell(value: Any) -> str:
    """A value for people; nothing where a statistic has no meaning."""
    if hasattr(value, "isoformat"):
        return str(value.isoformat(sep=" ", timespec="minutes"))
    return "" if value != value else number(value)  # NaN is not itself
