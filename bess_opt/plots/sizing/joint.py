"""A sizing of several batteries or over several years: what each power can be worth, and what each year brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bess_opt.plots.shared.page import Row, new_page
from bess_opt.plots.shared.parts import legend_beside, name_y
from bess_opt.plots.shared.style import LINE_PT, TEXT_PT, Theme, drawing, dress, heading, theme_of
from bess_opt.plots.shared.units import Unit
from bess_opt.plots.sizing.marks import draw_optimum

if TYPE_CHECKING:
    from bess_opt.investment.joint.result import JointSizing

PANEL_IN, YEARS_IN, LABELS_IN = 2.2, 2.0, 0.45
NAMED_YEARS = 12  # as many fit with their names


def joint_figure(sizing: JointSizing, *, theme: str = "light") -> Figure:
    """A panel for each battery: what no choice with its power [MW] is worth more than, the choices planned and solved
    as marks, the best as a star. With several years a panel of their values, with P10, P50 and P90.

    ValueError for a theme that is unknown.
    """
    look = theme_of(theme)
    names, several = sizing.region.names, len(sizing.years) > 1
    profile = sizing.profile()
    values = pd.concat([profile["bound"], sizing.table["value"], pd.Series([sizing.value])]).dropna().astype(float)
    unit = sizing.unit_of(values)
    rows = [Row(PANEL_IN, above_in=LABELS_IN * (place > 0)) for place in range(len(names))]
    with drawing(look):
        page, panels = new_page(None, [*rows, *[Row(YEARS_IN, above_in=LABELS_IN)] * several], _title(sizing), look)
        for axes, name in zip(panels, names, strict=False):
            _draw_battery(axes, sizing, name, profile[profile["battery"] == name], unit, look)
        if several:
            _draw_years(panels[-1], sizing, look)
    return page


def _title(sizing: JointSizing) -> str:
    name = sizing.scenario.name
    if not sizing.build:
        return f"{name}: not building is best"
    sizes = [
        f"{battery or 'best'} {size['power_mw']:.3g} MW, {size['energy_mwh']:.3g} MWh"
        if size["power_mw"] > 0.0
        else f"without {battery}"
        for battery, size in sizing.sizes.iterrows()
    ]
    return f"{name}: {'; '.join(sizes)}"


def _draw_battery(axes: Axes, sizing: JointSizing, name: str, limit: pd.DataFrame, unit: Unit, look: Theme) -> None:
    """The limit over the power of one battery, and the choices that were looked at."""
    dress(axes, look)
    handles: list[Artist] = []
    known = limit.dropna()
    if len(known):
        across, bound = known["power_mw"].to_numpy(), known["bound"].to_numpy(dtype=float) / unit.scale
        mark = "o" if len(known) == 1 else None
        handles += axes.plot(
            across, bound, color=look.price, linestyle="--", linewidth=LINE_PT, marker=mark, label="proven bound"
        )
    column = f"{name}.power_mw" if name else "power_mw"
    table = sizing.table.dropna(subset="value")
    exact = table["exact"].astype(bool)
    for rows, colour, face, label in (
        (table[~exact], look.curtailed, look.paper, "sizes solved"),
        (table[exact], look.discharge, look.discharge, "sizes planned"),
    ):
        if len(rows):
            handles += axes.plot(
                rows[column], rows["value"] / unit.scale, "o", markersize=6, markeredgecolor=colour,
                markerfacecolor=face, label=label,
            )  # fmt: skip
    power = float(sizing.sizes["power_mw"].loc[name])
    handles.append(draw_optimum(axes, power, sizing.value / unit.scale))
    if sizing.without is not None:
        axes.axhline(sizing.without / unit.scale, color=look.ink, linewidth=1.0, linestyle=(0, (2, 3)))
        axes.annotate(
            "without any battery", (1.0, sizing.without / unit.scale), xycoords=axes.get_yaxis_transform(),
            xytext=(6, 0), textcoords="offset points", va="center", fontsize=TEXT_PT, color=look.ink,
        )  # fmt: skip
    axes.set_xlabel(f"power of {name} [MW]" if name else "power [MW]", fontsize=TEXT_PT, color=look.ink)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.margins(x=0.02, y=0.12)
    name_y(axes, f"[{unit.unit}]", look)
    of = f" of {name}" if name else ""
    heading(axes, f"{unit.name.capitalize()} by the power{of}, all other sizes free")
    if name == sizing.region.names[0]:
        legend_beside(axes, handles, look)


def _draw_years(axes: Axes, sizing: JointSizing, look: Theme) -> None:
    """The value of the best sizes in each year, in the order in which the years are given."""
    dress(axes, look)
    values = sizing.years["value"].astype(float)
    unit = sizing.unit_of(values)
    places = np.arange(len(values))
    axes.bar(places, values.to_numpy() / unit.scale, width=0.72, color=look.discharge)
    shares: dict[float, str] = {}  # labels that stand at the same value are one
    for label, value in (("P10", sizing.p10), ("P50", sizing.p50), ("P90", sizing.p90)):
        shares[value] = f"{shares[value]}, {label}" if value in shares else label
    for value, label in shares.items():
        style = ":" if "P10" in label else "-" if "P50" in label else "--"
        axes.axhline(value / unit.scale, color=look.charge, linewidth=LINE_PT, linestyle=style)
        axes.annotate(
            f"{label} {unit.text(value)}", (1.0, value / unit.scale), xycoords=axes.get_yaxis_transform(),
            xytext=(6, 7 if "P10" in label else -7 if "P90" in label else 0), textcoords="offset points",
            va="center", fontsize=TEXT_PT, color=look.ink,
        )  # fmt: skip
    axes.axhline(0.0, color=look.ink, linewidth=1.0)
    named = [str(name) for name in sizing.years.index]
    few = len(named) <= NAMED_YEARS and len(set(named)) == len(named)
    axes.set_xticks(places if few else places[:: max(1, len(places) // 10)])
    axes.set_xticklabels(named if few else [str(place + 1) for place in places[:: max(1, len(places) // 10)]])
    axes.set_xlabel("price year" if few else "price year, as given", fontsize=TEXT_PT, color=look.ink)
    axes.grid(visible=False, axis="x")
    name_y(axes, f"[{unit.unit}]", look)
    heading(axes, f"{unit.name.capitalize()} of the best sizes in each year")
