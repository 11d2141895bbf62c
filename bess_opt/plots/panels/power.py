"""The power picture: sources above zero, sinks below, the load as a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from bess_opt.common.columns import SCHEDULE
from bess_opt.plots.shared.parts import NOISE_MW, draw_steps, held, legend_beside, name_y, shade_away, unit_label
from bess_opt.plots.shared.style import Theme, ThemeName, drawing, dress, paler, theme_of, tones
from bess_opt.plots.shared.time_axes import Floats, step_edges, time_axis


@dataclass(frozen=True)
class _Layer:
    label: str
    values: Floats
    colour: str
    hatch: str | None = None


def draw_power(
    axes: Axes,
    schedule: pd.DataFrame,
    *,
    theme: ThemeName = "light",
    step_h: float | None = None,
    units: Mapping[str, pd.DataFrame] | None = None,
    away: Sequence[bool] | None = None,
) -> None:
    """Sources stacked above zero, charge and export below, the load as a line; all-zero ones are left out.

    `units` are the schedules of several batteries by name, each a band of its own in place of their sum; steps in
    which the grid is `away` are shaded.
    """
    look = theme_of(theme)
    edges = step_edges(schedule, step_h)
    mw = {name: schedule[name].to_numpy(dtype=float) for name in SCHEDULE if name.endswith("_mw")}
    used = np.maximum(mw["solar_mw"] - mw["curtailed_mw"], 0.0)
    sources = [
        _Layer("solar used", used, look.solar),
        *_battery_layers("discharge", mw, units, look.discharge, look),
        _Layer("import", mw["import_mw"], look.imported),
        _Layer("unserved load", mw["unserved_mw"], look.unserved, "xx"),
        _Layer("solar curtailed", mw["curtailed_mw"], look.curtailed, "///"),
    ]
    sinks = [
        *_battery_layers("charge", mw, units, look.charge, look),
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
        handles += shade_away(axes, edges, away, look)
        if not handles:
            axes.set_ylim(-1.0, 1.0)
        name_y(axes, f"power {unit_label('grid_mw')}", look)
        legend_beside(axes, handles, look)


def _battery_layers(
    word: str, mw: Mapping[str, Floats], units: Mapping[str, pd.DataFrame] | None, colour: str, look: Theme
) -> list[_Layer]:
    """The band of the battery, or one for each of several, in tones of one colour."""
    if not units:
        return [_Layer(f"battery {word}", mw[f"{word}_mw"], colour)]
    return [
        _Layer(f"{name} {word}", unit[f"{word}_mw"].to_numpy(dtype=float), tone)
        for (name, unit), tone in zip(units.items(), tones(colour, look, len(units)), strict=True)
    ]


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
