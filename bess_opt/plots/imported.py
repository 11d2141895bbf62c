"""What came in with files: each series over its whole span, one below the other."""

from __future__ import annotations

import io

import pandas as pd
from matplotlib import dates as mdates
from matplotlib.figure import Figure

from bess_opt.plots.shared.style import ThemeName, drawing, dress, theme_of
from bess_opt.plots.shared.time_axes import local_index, step_edges

_NAMES = {"price_per_mwh": "price [{currency}/MWh]", "load_mw": "load [MW]", "solar_mw": "solar [MW]"}


def _label(column: str) -> str:
    product = column.removesuffix("_price_per_mw")
    return _NAMES.get(column, column if product == column else f"{product} [{{currency}}/MW/h]")


def draw_imported(series: pd.DataFrame, currency: str = "EUR", theme: ThemeName = "light") -> Figure:
    """A figure with a panel for each column, steps drawn as steps and gaps left open."""
    look = theme_of(theme)
    with drawing(look):
        figure = Figure(figsize=(9.0, 2.2 * len(series.columns) + 0.4), layout="constrained", facecolor=look.paper)
        panels = figure.subplots(len(series.columns), 1, sharex=True, squeeze=False)[:, 0]
        colours = {"price_per_mwh": look.price, "load_mw": look.load, "solar_mw": look.solar}
        zone = local_index(series).tz
        edges = step_edges(series, None)
        for axes, name in zip(panels, series.columns, strict=True):
            dress(axes, look)
            values = series[name].to_numpy(dtype=float)
            axes.step(
                edges, [*values, values[-1]], where="post", linewidth=0.8, color=colours.get(str(name), look.ink)
            )
            axes.set_ylabel(_label(str(name)).format(currency=currency))
        locator = mdates.AutoDateLocator(tz=zone, minticks=4, maxticks=10)  # type: ignore[no-untyped-call]
        panels[-1].xaxis.set_major_locator(locator)
        clock = mdates.ConciseDateFormatter(locator, tz=zone)  # type: ignore[no-untyped-call]
        panels[-1].xaxis.set_major_formatter(clock)
        panels[-1].set_xlabel(f"clock of {zone}")
    return figure


def imported_png(series: pd.DataFrame, currency: str = "EUR") -> bytes:
    """The figure as PNG, the same bytes for the same series."""
    file = io.BytesIO()
    draw_imported(series, currency).savefig(file, format="png", dpi=110, metadata={"Software": None})
    return file.getvalue()
