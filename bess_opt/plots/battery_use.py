"""What the battery does at which price: energy charged and discharged in bands of the price."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

from bess_opt.plots.shared.page import figure_of, one_panel
from bess_opt.plots.shared.parts import draw_bars, legend_beside, name_y, prices_of, unit_label
from bess_opt.plots.shared.style import TEXT_PT, Theme, ThemeName, heading, theme_of
from bess_opt.plots.shared.time_axes import Floats, local_index, step_edges

_BANDS = 30
_TAIL = 0.5  # percent of the steps at each end that share the outermost band


def action_figure(
    schedule: pd.DataFrame,
    *,
    currency: str = "EUR",
    title: str = "",
    axes: Axes | None = None,
    theme: ThemeName = "light",
    step_h: float | None = None,
) -> Figure:
    """Energy [MWh] discharged (up) and charged (down) in bands of the price, and how often each band occurs.

    Where the two prices differ, charging is shown at the import price, discharging at the export price as far as the
    site exports, the rest at the import price that it saves. The outermost bands hold the
    rarest prices together. ValueError for a schedule without prices.
    """
    look = theme_of(theme)
    prices = prices_of(schedule)
    if not prices:
        raise ValueError("a figure of prices needs a schedule with prices")
    local_index(schedule)
    edges = step_edges(schedule, step_h)
    hours = np.diff(edges) * 24.0
    buy, sell = (price.to_numpy(dtype=float) for price in (prices[0], prices[-1]))
    bands = _bands(np.concatenate([buy, sell]))
    charged = schedule["charge_mw"].to_numpy(dtype=float) * hours
    discharged = schedule["discharge_mw"].to_numpy(dtype=float) * hours
    # What is not exported takes the place of import, at the price of import.
    exported = np.minimum(discharged, schedule["export_mw"].to_numpy(dtype=float) * hours)
    with one_panel(axes, look, title=title) as panel:
        middle, width = (bands[1:] + bands[:-1]) / 2.0, np.diff(bands)
        up = _summed(sell, bands, exported) + _summed(buy, bands, discharged - exported)
        down = _summed(buy, bands, charged)
        bars = [
            draw_bars(panel, middle, up, width=0.92 * width, colour=look.discharge, label="battery discharge"),
            draw_bars(panel, middle, -down, width=0.92 * width, colour=look.charge, label="battery charge"),
        ]
        _draw_share(panel, middle, width, _summed(buy, bands, hours) / hours.sum(), look)
        panel.axhline(0.0, color=look.ink, linewidth=1.0)
        most = max(float(up.max()), float(down.max()), 1e-9)
        panel.set_ylim(-1.45 * most, 1.1 * most)
        panel.xaxis.set_major_locator(MaxNLocator(9))
        ticks = np.asarray(MaxNLocator(7).tick_values(-most, most))
        panel.yaxis.set_major_locator(FixedLocator(ticks[np.abs(ticks) <= 1.1 * most].tolist()))
        panel.set_xlabel(
            f"price {unit_label('import_price_per_mwh', currency)}, rarest prices in the outermost bars",
            fontsize=TEXT_PT,
            color=look.ink,
        )
        panel.set_xlim(bands[0], bands[-1])
        name_y(panel, f"energy {unit_label('energy_mwh')}", look)
        heading(panel, "At which price the battery acts")
        legend_beside(panel, bars, look)
    return figure_of(panel)


def _draw_share(panel: Axes, middle: Floats, width: Floats, share: Floats, look: Theme) -> None:
    """How often each band occurs, as a strip at the foot of the panel."""
    foot = panel.get_xaxis_transform()
    height = 0.13 * share / max(float(share.max()), 1e-12)
    draw_bars(panel, middle, height, width=0.92 * width, colour=look.curtailed, transform=foot)
    panel.text(
        0.012, 0.155, "how often each price occurs", transform=panel.transAxes, fontsize=TEXT_PT, color=look.ink
    )


def _bands(prices: Floats) -> Floats:
    """Edges of equal bands between rare ends; a price that never moves has one band of its own."""
    low, high = (float(q) for q in np.nanpercentile(prices, [_TAIL, 100.0 - _TAIL]))
    if high - low < 1e-9:
        return np.array([low - 0.5, low + 0.5])
    return np.linspace(low, high, _BANDS + 1)


def _summed(prices: Floats, bands: Floats, values: Floats) -> Floats:
    place = np.clip(np.searchsorted(bands, prices, side="right") - 1, 0, len(bands) - 2)
    total: Floats = np.bincount(place, weights=values, minlength=len(bands) - 1).astype(np.float64)
    return total
