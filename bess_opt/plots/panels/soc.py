"""The state of charge as a line through the ends of the steps, with its energy at the right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator

from bess_opt.plots.shared.parts import legend_beside, name_y, unit_label
from bess_opt.plots.shared.style import LINE_PT, TEXT_PT, TICK_PT, Theme, ThemeName, drawing, dress, theme_of, tones
from bess_opt.plots.shared.time_axes import step_edges, time_axis


def draw_soc(
    axes: Axes,
    soc: pd.Series,
    *,
    energy_mwh: float | None = None,
    before: float | None = None,
    theme: ThemeName = "light",
    step_h: float | None = None,
) -> None:
    """SOC as a line through the ends of the steps; `before` is the SOC at the first start, if known."""
    look = theme_of(theme)
    edges = step_edges(soc, step_h)
    x, y = edges[1:], soc.to_numpy(dtype=float)
    if before is not None:
        x, y = edges, np.concatenate([[before], y])
    with drawing(look):
        dress(axes, look)
        time_axis(axes, soc, step_h, look)
        axes.fill_between(x, y, color=look.soc, alpha=0.18, linewidth=0)
        axes.plot(x, y, color=look.soc, linewidth=LINE_PT, marker="o" if len(x) == 1 else None, clip_on=False)
        axes.set_ylim(-0.03, 1.05)
        axes.yaxis.set_major_locator(FixedLocator([0.0, 0.25, 0.5, 0.75, 1.0]))
        name_y(axes, f"SOC {unit_label('soc')}", look)
        if energy_mwh:
            _energy_axis(axes, energy_mwh, look)


def _energy_axis(axes: Axes, energy_mwh: float, look: Theme) -> None:
    def scaled(soc: Any) -> Any:
        return soc * energy_mwh

    def unscaled(energy: Any) -> Any:
        return energy / energy_mwh

    right = axes.secondary_yaxis("right", functions=(scaled, unscaled))
    right.tick_params(colors=look.ink, labelsize=TICK_PT, labelfontfamily="DejaVu Sans")
    right.yaxis.set_major_locator(MaxNLocator(4))
    right.set_ylabel(f"energy {unit_label('energy_mwh')}", fontsize=TEXT_PT, color=look.ink)


def draw_socs(
    axes: Axes, socs: Mapping[str, pd.Series], *, theme: ThemeName = "light", step_h: float | None = None
) -> None:
    """SOC of several batteries, by name, each a line through the ends of the steps in a tone of its own."""
    look = theme_of(theme)
    with drawing(look):
        dress(axes, look)
        lines: list[Artist] = []
        styles = ("-", (0, (4, 1.5)), (0, (1.5, 1.2)))
        for place, ((name, soc), tone) in enumerate(zip(socs.items(), tones(look.soc, look, len(socs)), strict=True)):
            x = step_edges(soc, step_h)[1:]
            style = styles[place % len(styles)]
            lines += axes.plot(
                x, soc.to_numpy(dtype=float), color=tone, linewidth=LINE_PT, linestyle=style, label=name
            )
        time_axis(axes, next(iter(socs.values())), step_h, look)
        axes.set_ylim(-0.03, 1.05)
        axes.yaxis.set_major_locator(FixedLocator([0.0, 0.25, 0.5, 0.75, 1.0]))
        name_y(axes, f"SOC {unit_label('soc')}", look)
        legend_beside(axes, lines, look)
