"""The zoomable chart of a dispatch, as the plain data that plotly draws: power, state of charge, price."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from bess_opt.dispatch.result import Dispatch
from bess_opt.plots.shared.parts import price_name, prices_of
from bess_opt.plots.shared.shown_days import shown_days_of
from bess_opt.plots.shared.style import Theme, ThemeName, paler, theme_of
from bess_opt.plots.shared.time_axes import local_index, step_length

PANELS = {"y": [0.5, 1.0], "y2": [0.25, 0.42], "y3": [0.0, 0.17]}
HEIGHT_PX = 760
PALE = 0.45  # share of its colour in an area


def chart(plan: Dispatch, theme: ThemeName = "light") -> dict[str, Any]:
    """Data and layout of a figure over the whole horizon, opened at the battery's busiest week; local time."""
    look, schedule = theme_of(theme), plan.schedule
    index = local_index(schedule)
    step = step_length(index, plan.scenario.step_h)
    window = shown_days_of(schedule, index, step, None)
    start = index.tz_localize(None)
    end = pd.DatetimeIndex(index + pd.Timedelta(hours=plan.scenario.step_h)).tz_localize(None)
    shown = [start[window.first], end[window.last - 1]]
    data = _power(schedule, start, look)
    data += _bids(plan, start, look)
    data.append(_line(end, 100.0 * schedule["soc"], "state of charge", look.soc, "y2", shape="linear", unit="%"))
    currency = plan.scenario.site.currency
    for price, colour in zip(prices_of(schedule), (look.price, look.exported), strict=False):
        data.append(_line(start, price, price_name(price), colour, "y3", unit=f"{currency}/MWh"))
    return {"data": data, "layout": _layout(plan, shown, look)}


def _power(schedule: pd.DataFrame, start: pd.DatetimeIndex, look: Theme) -> list[dict[str, Any]]:
    areas = [
        ("solar", schedule["solar_mw"], look.solar),
        ("discharge", schedule["discharge_mw"], look.discharge),
        ("charge", -schedule["charge_mw"], look.charge),
    ]
    lines = [
        ("load", schedule["load_mw"], look.load),
        ("grid, export +", schedule["grid_mw"], look.exported),
        ("curtailed", schedule["curtailed_mw"], look.curtailed),
        ("unserved", schedule["unserved_mw"], look.unserved),
    ]
    drawn = [
        _line(start, values, name, colour, "y", area=paler(colour, look, PALE))
        for name, values, colour in areas
        if values.any()
    ]
    return drawn + [_line(start, values, name, colour, "y") for name, values, colour in lines if values.any()]


def _bids(plan: Dispatch, start: pd.DatetimeIndex, look: Theme) -> list[dict[str, Any]]:
    """The capacity of each market product that is held at all, as a dotted line."""
    sold = [product.name for product in plan.scenario.product if plan.schedule[f"{product.name}_mw"].any()]
    shades = [to_hex(look.sequential(share)) for share in np.linspace(0.4, 0.9, max(len(sold), 2))]
    drawn = []
    for name, colour in zip(sold, shades, strict=False):
        line = _line(start, plan.schedule[f"{name}_mw"], f"{name} held", colour, "y")
        drawn.append(line | {"line": line["line"] | {"dash": "dot"}})
    return drawn


def _line(
    time: pd.DatetimeIndex,
    values: pd.Series,
    name: str,
    colour: str,
    axis: str,
    *,
    area: str = "",
    shape: str = "hv",
    unit: str = "MW",
) -> dict[str, Any]:
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(time.strftime("%Y-%m-%dT%H:%M:%S")),
        "y": np.round(values.to_numpy(dtype=float), 6).tolist(),
        "yaxis": axis,
        "line": {"color": colour, "width": 0.5 if area else 1.8, "shape": shape},
        "hovertemplate": f"%{{y:.4g}} {unit}",
    }
    if area:
        trace |= {"fill": "tozeroy", "fillcolor": area}
    return trace


def _layout(plan: Dispatch, shown: list[pd.Timestamp], look: Theme) -> dict[str, Any]:
    currency = plan.scenario.site.currency
    titles = {"y": "power [MW]", "y2": "state of charge [%]", "y3": f"price [{currency}/MWh]"}
    headings = [
        {
            "text": f"<b>{titles[axis]}</b>", "x": 0, "y": domain[1], "xref": "paper", "yref": "paper",
            "xanchor": "left", "yanchor": "bottom", "showarrow": False,
        }
        for axis, domain in PANELS.items()
    ]  # fmt: skip
    axes = {
        axis.replace("y", "yaxis"): {
            "domain": domain, "gridcolor": look.faint,
            "zerolinecolor": look.curtailed, "automargin": True, "fixedrange": axis != "y3",
        }
        for axis, domain in PANELS.items()
    }  # fmt: skip
    axes["yaxis2"]["range"] = [0, 100]
    periods = [("day", 1, "1 day"), ("day", 7, "1 week"), ("month", 1, "1 month")]
    buttons = [{"step": step, "count": count, "label": label} for step, count, label in periods]
    return {
        **axes,
        "annotations": headings,
        "xaxis": {
            "range": [stamp.isoformat() for stamp in shown],
            "anchor": "y3",
            "type": "date",
            "gridcolor": look.faint,
            "title": {"text": f"local time, {plan.scenario.time_zone}"},
            "rangeselector": {
                "buttons": [*buttons, {"step": "all", "label": "all"}],
                "x": 1,
                "xanchor": "right",
                "y": 1.05,
                "bgcolor": look.faint,
                "activecolor": look.curtailed,
            },
        },
        "hovermode": "x unified",
        "dragmode": "zoom",
        "uirevision": "kept",
        "paper_bgcolor": look.paper,
        "plot_bgcolor": look.paper,
        "font": {"color": look.ink, "size": 13, "family": "system-ui, sans-serif"},
        "hoverlabel": {"bgcolor": look.paper, "font": {"color": look.ink}},
        "margin": {"l": 44, "r": 12, "t": 66, "b": 40},
        "legend": {"orientation": "h", "x": 0, "y": -0.17, "yanchor": "top"},
        "height": HEIGHT_PX,
    }
