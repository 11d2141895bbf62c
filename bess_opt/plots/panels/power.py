"""The power picture: sources above zero, sinks below, the load as a line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from bess_opt.common.columns import SCHEDULE
from bess_opt.plots.shared.parts import NOISE_MW, draw_steps, held, legend_beside, name_y, unit_label
from bess_opt.plots.shared.style import Theme, ThemeName, drawing, dress, paler, theme_of
from bess_opt.plots.shared.time_axes import Floats, step_edges, time_axis


@dataclass(frozen=True)
class _Layer:
    label: str
    values: Floats
    colour: str
    hatch: str | None = None


def draw_power(
    axes: Axes, schedule: pd.DataFrame, *, theme: ThemeName = "light", step_h: float | None = None
) -> None:
    """Sources stacked above zero, charge and export below, the load as a line; all-zero ones are left out."""
    look = theme_of(theme)
    edges = step_edges(schedule, step_h)
    mw = {name: schedule[name].to_numpy(dtype=float) for name in SCHEDULE if name.endswith("_mw")}
    used = np.maximum(mw["solar_mw"] - mw["curtailed_mw"], 0.0)
    sources = [
        _Layer("solar used", used, look.solar),
        _Layer("battery discharge", mw["discharge_mw"], look.discharge),
        _Layer("import", mw["import_mw"], look.imported),
        _Layer("unserved load", mw["unserved_mw"], look.unserved, "xx"),
        _Layer("solar curtailed", mw["curtailed_mw"], look.curtailed, "///"),
    ]
    sinks = [
        _Layer("battery charge", mw["charge_mw"], look.charge),
        _Layer("export", mw["export_mw"], look.exported),
    ]
    with drawing(look):
        dress(axes, look)
        time_axis(axes, schedule, step_h, look)
        handles = _stack(axes, edges, sources, 1.0, look)[::-1]
        if mw["load_mw"].max() > NOISE_MW:
            handles.append(draw_steps(axes, edges, mw["load_mw"], look.load, "load"))
        handles += _stack(axes, edges, sinks, -1.0, look)
        axes.axhline(0.0, color=look.ink, linewidth=1.0)
        if not handles:
            axes.set_ylim(-1.0, 1.0)
        name_y(axes, f"power {unit_label('grid_mw')}", look)
        legend_beside(axes, handles, look)


def _stack(axes: Axes, edges: Floats, layers: list[_Layer], sign: float, look: Theme) -> list[Artist]:
    """The layers on top of each other, away from zero; the drawn ones come back for the legend."""
    base = np.zeros(len(edges))
    drawn: list[Artist] = []
    for layer in layers:
        if layer.values.max() <= NOISE_MW:
            continue
        top = base + sign * held(layer.values)
        face, edge = (paler(layer.colour, look, 0.3), layer.colour) if layer.hatch else (layer.colour, "none")
        area = axes.fill_between(
            edges, base, top, step="post", facecolor=face, edgecolor=edge, hatch=layer.hatch, linewidth=0.0
        )
        area.set_label(layer.label)
        drawn.append(area)
        base = top
    return drawn
