"""The zoomable chart of a dispatch, as the plain data that plotly draws: power, state of charge, price."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bess_opt.dispatch import Dispatch
from bess_opt.plots_parts import price_name, prices_of
from bess_opt.plots_time import local_index, step_length
from bess_opt.plots_window import window_of
from bess_opt.style import LIGHT, paler

PANELS = {"y": [0.5, 1.0], "y2": [0.27, 0.45], "y3": [0.0, 0.22]}
HEIGHT_PX = 740
PALE = 0.45  # share of its colour in an area


def chart(plan: Dispatch) -> dict[str, Any]:
    """Data and layout of a figure over the whole horizon, opened at the battery's busiest week; local time."""
    schedule = plan.schedule
    index = local_index(schedule)
    step = step_length(index, plan.scenario.step_h)
    window = window_of(schedule, index, step, None)
    start = index.tz_localize(None)
    end = pd.DatetimeIndex(index + pd.Timedelta(hours=plan.scenario.step_h)).tz_localize(None)
    shown = [start[window.first], end[window.last - 1]]
    data = _power(schedule, start)
    data.append(_line(end, 100.0 * schedule["soc"], "state of charge", LIGHT.soc, "y2", shape="linear", unit="%"))
    currency = plan.scenario.site.currency
    for price, colour in zip(prices_of(schedule), (LIGHT.price, LIGHT.exported), strict=False):
        data.append(_line(start, price, price_name(price), colour, "y3", unit=f"{currency}/MWh"))
    return {"data": data, "layout": _layout(plan, shown)}


def _power(schedule: pd.DataFrame, start: pd.DatetimeIndex) -> list[dict[str, Any]]:
    areas = [
        ("solar", schedule["solar_mw"], LIGHT.solar),
        ("discharge", schedule["discharge_mw"], LIGHT.discharge),
        ("charge", -schedule["charge_mw"], LIGHT.charge),
    ]
    lines = [
        ("load", schedule["load_mw"], LIGHT.load),
        ("grid, export +", schedule["grid_mw"], LIGHT.exported),
        ("curtailed", schedule["curtailed_mw"], LIGHT.curtailed),
        ("unserved", schedule["unserved_mw"], LIGHT.unserved),
    ]
    drawn = [_line(start, values, name, colour, "y", area=True) for name, values, colour in areas if values.any()]
    return drawn + [_line(start, values, name, colour, "y") for name, values, colour in lines if values.any()]


def _line(
    time: pd.DatetimeIndex,
    values: pd.Series,
    name: str,
    colour: str,
    axis: str,
    *,
    area: bool = False,
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
        trace |= {"fill": "tozeroy", "fillcolor": paler(colour, LIGHT, PALE)}
    return trace


def _layout(plan: Dispatch, shown: list[pd.Timestamp]) -> dict[str, Any]:
    currency = plan.scenario.site.currency
    titles = {"y": "power [MW]", "y2": "SOC [%]", "y3": f"price [{currency}/MWh]"}
    axes = {
        axis.replace("y", "yaxis"): {
            "title": {"text": titles[axis], "standoff": 6}, "domain": domain, "gridcolor": LIGHT.faint,
            "zerolinecolor": LIGHT.curtailed, "automargin": True, "fixedrange": axis != "y3",
        }
        for axis, domain in PANELS.items()
    }  # fmt: skip
    axes["yaxis2"]["range"] = [0, 100]
    periods = [("day", 1, "1 day"), ("day", 7, "1 week"), ("month", 1, "1 month")]
    buttons = [{"step": step, "count": count, "label": label} for step, count, label in periods]
    return {
        **axes,
        "xaxis": {
            "range": [stamp.isoformat() for stamp in shown],
            "anchor": "y3",
            "type": "date",
            "gridcolor": LIGHT.faint,
            "title": {"text": f"local time, {plan.scenario.time_zone}"},
            "rangeselector": {"buttons": [*buttons, {"step": "all", "label": "all"}], "x": 0, "y": 1.02},
        },
        "hovermode": "x unified",
        "dragmode": "zoom",
        "uirevision": "kept",
        "paper_bgcolor": LIGHT.paper,
        "plot_bgcolor": LIGHT.paper,
        "font": {"color": LIGHT.ink, "size": 13},
        "margin": {"l": 60, "r": 12, "t": 44, "b": 40},
        "legend": {"orientation": "h", "x": 0, "y": -0.17, "yanchor": "top"},
        "height": HEIGHT_PX,
    }
