"""Results as tables on the terminal, a JSON file, and a picture with logarithmic axes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from records import exponent
from rich.console import Console
from rich.table import Table

Row = dict[str, Any]
SHOWN_FLOORS = {
    "arrays": "arrays into HiGHS", "pyomo_plain": "Pyomo", "pyomo_members": "our model in Pyomo", "cvxpy": "cvxpy",
    "linopy": "linopy", "pypsa": "PyPSA",
}  # fmt: skip
GROWN = {"ours": "bess_opt", **SHOWN_FLOORS, "energypylinear": "energy-py-linear (whole numbers, prices only)"}
STYLES = ("o-", "s--", "^:", "x:", "D:", "v:", "P:", "*:")
SIZING_GOALS = (("proof", 2), ("calls", 0), ("candidates", 1))  # with the digits that are shown


def cases_table(rows: list[Row]) -> Table:
    """Each case as a multiple of each floor; the goal stands behind the ratio."""
    table = Table(title="bo.optimize against floors: ratio of times, median of paired runs")
    table.add_column("case")
    shown = [floor for floor in SHOWN_FLOORS if any(floor in row["ratio"] for row in rows)]
    ratios = [f"x {floor}" for floor in shown]
    for name in ("steps", "ours s", *ratios, "gap", "exact/relaxed", "agrees"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            row["case"],
            f"{row['steps']:,}",
            f"{row['seconds']['ours']:.3f}",
            *(_against(row, floor) for floor in shown),
            f"{row['gap']:.1e}",
            f"{row['objective'] / row['relaxed']['arrays']:.7f}",
            "yes" if row["agrees"] else "[red]NO[/red]",
        )
    return table


def _against(row: Row, floor: str) -> str:
    if floor not in row["ratio"]:
        return ""
    ratio, goal = row["ratio"][floor], row["goals"].get(floor)
    text = f"{ratio:.2f} ({row['seconds'][floor]:.3f} s)"
    if goal is None:
        return text
    colour = "green" if ratio <= goal else "red"
    return f"[{colour}]{text}, goal {goal:g}[/{colour}]"


def stages_table(rows: list[Row]) -> Table:
    """Where our time goes: each stage as a share of the whole, by the plan's own report (wall time)."""
    table = Table(title="Stages of bo.optimize, share of its time, %")
    table.add_column("case")
    names = list(dict.fromkeys(stage for row in rows for stage in row["stages"]))
    for name in (*names, "windows"):
        table.add_column(name, justify="right")
    for row in rows:
        whole = sum(row["stages"].values())
        shares = [f"{100 * row['stages'][name] / whole:.1f}" if name in row["stages"] else "" for name in names]
        table.add_row(row["case"], *shares, str(row["windows"]))
    return table


def scaling_table(rows: list[Row]) -> Table:
    """How the times grow with the horizon; the last row is the fitted exponent from a year on."""
    table = Table(title="Growth: solar and battery, hourly, prices with seeded noise; seconds")
    names = [name for name in GROWN if any(name in row["seconds"] for row in rows)]
    for name in ("steps", *names, "x arrays", "gap", "windows", "agrees"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            f"{row['steps']:,}",
            *(f"{row['seconds'][name]:.3f}" if name in row["seconds"] else "" for name in names),
            f"{row['ratio']['arrays']:.2f}",
            f"{row['gap']:.1e}",
            str(row["windows"]),
            "yes" if row["agrees"] else "[red]NO[/red]",
        )
    exponents = [exponent(rows, name) for name in names]
    if any(value is not None for value in exponents):
        table.add_section()
        table.add_row("exponent", *("" if value is None else f"{value:.2f}" for value in exponents))
    return table


def real_site_table(rows: list[Row]) -> Table:
    """The real site as a share of the best of HiGHS's own ways."""
    table = Table(title="A real site of five minutes, against HiGHS alone; seconds")
    table.add_column("case")
    ways = [name for name in rows[0]["seconds"] if name != "ours"]
    for name in ("steps", "ours", *ways, "x the best", "agrees"):
        table.add_column(name, justify="right")
    for row in rows:
        seconds = [row["seconds"][name] for name in ways]
        ratio = ("below " if row["at_most"] else "") + _goal(row["ratio"], row["goal"], 3)
        table.add_row(
            row["case"],
            f"{row['steps']:,}",
            f"{row['seconds']['ours']:.2f}",
            *("did not end" if value is None else f"{value:.1f}" for value in seconds),
            ratio,
            "yes" if row["agrees"] else "[red]NO[/red]",
        )
    return table


def strategies_table(rows: list[Row]) -> Table:
    """A year of each strategy as a multiple of its raw linear program."""
    table = Table(title="bo.optimize of every strategy against its raw linear program (HiGHS alone)")
    table.add_column("strategy")
    for name in ("steps", "ours s", "program s", "x program", "gap", "windows"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            row["strategy"],
            f"{row['steps']:,}",
            f"{row['seconds']['ours']:.3f}",
            f"{row['seconds']['floor']:.3f}",
            f"{row['ratio']:.2f}",
            f"{row['gap']:.1e}",
            str(row["windows"]),
        )
    return table


def rules_table(rows: list[Row]) -> Table:
    """A year of each rule as a share of the raw linear program of its strategy."""
    table = Table(title="bo.simulate against the raw linear program of the strategy (HiGHS alone)")
    table.add_column("rule")
    for name in ("steps", "ours s", "program s", "x program", "x half the steps"):
        table.add_column(name, justify="right")
    for row in rows:
        colour = "green" if row["ratio"] <= row["goal"] else "red"
        table.add_row(
            row["strategy"],
            f"{row['steps']:,}",
            f"{row['seconds']['simulate']:.4f}",
            f"{row['seconds']['floor']:.3f}",
            f"[{colour}]{row['ratio']:.3f}, goal {row['goal']:g}[/{colour}]",
            f"{row['growth']:.2f}",
        )
    return table


def rolling_table(rows: list[Row]) -> Table:
    """A horizon of decisions as a multiple of one cold solve of it."""
    table = Table(title="bo.control, a decision an hour, 48 h ahead, against raw arrays in HiGHS: ratio of times")
    table.add_column("case")
    names = ("decisions", "rolling s", "ms each", "x bo.optimize", "x arrays", "of optimum", "agrees")
    for name in names:
        table.add_column(name, justify="right")
    for row in rows:
        ratio, seconds = row["ratio"], row["seconds"]
        colour = "green" if ratio["arrays"] <= row["goal"] else "red"
        table.add_row(
            row["case"],
            f"{int(row['decisions']):,}",
            f"{seconds['rolling']:.2f}",
            f"{row['ms_per_decision']:.2f}",
            f"{ratio['cold']:.1f} ({seconds['cold']:.3f} s)",
            f"[{colour}]{ratio['arrays']:.1f} ({seconds['arrays']:.3f} s), goal {row['goal']:g}[/{colour}]",
            f"{row['share_of_optimum']:.5f}",
            "yes" if row["agrees"] else "[red]NO[/red]",
        )
    return table


def sizing_table(rows: list[Row]) -> Table:
    """The proof of a size, and a surface of candidates, as multiples of one solve from nothing."""
    table = Table(title="bo.size against one cold solve of its program (HiGHS alone)")
    table.add_column("case")
    for name in ("steps", "cold s", "x proof", "calls", "x candidates", "size MW", "size h", "gap"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            row["case"],
            f"{row['steps']:,}",
            f"{row['seconds']['cold']:.3f}",
            *(_goal(row[name], row["goals"][name], digits) for name, digits in SIZING_GOALS),
            f"{row['power_mw']:.3g}",
            f"{row['duration_h']:.3g}",
            f"{row['gap']:.1e}",
        )
    return table


def _goal(value: float, goal: float, digits: int) -> str:
    colour = "green" if value <= goal else "red"
    return f"[{colour}]{value:.{digits}f}, goal {goal:g}[/{colour}]"


def engine_table(rows: list[Row]) -> Table:
    """Value functions beside raw arrays of the same run, and the most that each may cost."""
    table = Table(title="Value functions, as a multiple of raw arrays in HiGHS")
    table.add_column("work")
    for name in ("s", "arrays, s", "multiple", "peak, GiB"):
        table.add_column(name, justify="right")
    for row in rows:
        own, floor = (f"{row[name]:.3f}" for name in ("seconds", "arrays_seconds"))
        multiple, memory = _goal(row["ratio"], row["at_most"], 3), ""
        if not row["floor_ended"]:
            floor, multiple = f"not ended after {floor}", f"at most {multiple}"
        if row["memory_gib"] is not None:
            memory = _goal(row["memory_gib"], row["memory_at_most_gib"], 2)
        table.add_row(row["work"], own, floor, multiple, memory)
    return table


def tariffs_table(rows: list[Row]) -> Table:
    """Bills of a year beside HiGHS alone on the same program, each with what it may take and the gap that is left."""
    table = Table(title="bo.optimize under bills of a year, against its raw linear program (HiGHS alone)")
    table.add_column("bill")
    for name in ("s", "program s", "x program", "allowed", "gap", "objective", "bound"):
        table.add_column(name, justify="right")
    for row in rows:
        colour = "green" if row[row["unit"]] <= row["at_most"] else "red"
        allowed = f"{row['at_most']:g} {'s' if row['unit'] == 'seconds' else 'x'}"
        table.add_row(
            row["work"],
            f"{row['seconds']:.2f}",
            f"{row['highs_seconds']:.2f}",
            f"{row['ratio']:.2f}",
            f"[{colour}]{allowed}[/{colour}]",
            f"{row['gap']:.1e}",
            f"{row['objective']:,.2f}",
            f"{row['bound']:,.2f}",
        )
    return table


def memory_table(rows: list[Row]) -> Table:
    """Peak resident memory in a fresh process."""
    table = Table(title="Peak memory of one bo.optimize, MiB")
    table.add_column("case")
    for name in ("steps", "imports", "series loaded", "peak", "above imports"):
        table.add_column(name, justify="right")
    for row in rows:
        values = (row[name] for name in ("imports", "loaded", "peak", "above_imports"))
        table.add_row(row["case"], f"{int(row['steps']):,}", *(f"{value:.0f}" for value in values))
    return table


def show(results: dict[str, list[Row]]) -> None:
    """Print all tables."""
    console = Console(width=None if Console().is_terminal else 140)
    for name, table in TABLES.items():
        if results.get(name):
            console.print(table(results[name]))
            if name == "cases":
                console.print(stages_table(results[name]))


def write(results: dict[str, Any], folder: Path) -> None:
    """`benchmarks.json`, and `growth.png` where matplotlib is installed."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=2, sort_keys=True)
    (folder / "benchmarks.json").write_text(text + "\n", encoding="utf-8")
    if results["growth"]:
        _picture(results["growth"], folder / "growth.png")


def _picture(rows: list[Row], file: Path) -> None:
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7.2, 4.8), layout="constrained")
    names = [name for name in GROWN if any(name in row["seconds"] for row in rows)]
    for name, style in zip(names, STYLES, strict=False):
        points = [(row["steps"], row["seconds"][name]) for row in rows if name in row["seconds"]]
        slope = exponent(rows, name)
        label = GROWN[name] if slope is None else f"{GROWN[name]}, grows as steps^{slope:.2f}"
        axes.loglog(*zip(*points, strict=True), style, label=label, linewidth=2.5 if name == "ours" else 1.2)
    axes.set(
        xlabel="steps of the horizon", ylabel="time of an optimal plan [s]", title="Solar and battery, a plan's time"
    )
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(frameon=False, fontsize="small")
    figure.savefig(file, dpi=150)
    plt.close(figure)


TABLES = {
    "engine": engine_table,
    "cases": cases_table,
    "growth": scaling_table,
    "real_site": real_site_table,
    "tariffs": tariffs_table,
    "strategies": strategies_table,
    "rules": rules_table,
    "rolling": rolling_table,
    "sizing": sizing_table,
    "memory": memory_table,
}
