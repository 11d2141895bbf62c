"""Every picture, one room each: pure functions from plain data to a Figure, without pyplot and without global state.

A `*_figure` function makes a page, or draws into the `axes` (or `figure`) that it is given; a `draw_*` function draws
one panel on axes of the caller. Time is local everywhere; the same input gives the same bytes.
"""

from bess_opt.plots.battery_use import action_figure
from bess_opt.plots.bill import bill_figure
from bess_opt.plots.cash_flow import cash_flow_figure
from bess_opt.plots.comparison import ladder_figure
from bess_opt.plots.connection import connection_figure
from bess_opt.plots.dispatch import dispatch_figure
from bess_opt.plots.duration import soc_duration_figure
from bess_opt.plots.falls import falls_figure
from bess_opt.plots.gap import gap_figure
from bess_opt.plots.panels.power import draw_power
from bess_opt.plots.panels.price import draw_price
from bess_opt.plots.panels.soc import draw_soc
from bess_opt.plots.price_index import price_index_figure
from bess_opt.plots.product_stack import product_stack_figure
from bess_opt.plots.resilience import resilience_figure
from bess_opt.plots.shared.page import NotebookFigure, figure_png, figure_svg
from bess_opt.plots.value import stored_value_figure, value_map_figure
from bess_opt.plots.week import week_figure
from bess_opt.plots.year_map import day_hour_table, draw_heat_map, heat_map_figure

__all__ = [
    "NotebookFigure",
    "action_figure",
    "bill_figure",
    "cash_flow_figure",
    "connection_figure",
    "day_hour_table",
    "dispatch_figure",
    "draw_heat_map",
    "draw_power",
    "draw_price",
    "draw_soc",
    "falls_figure",
    "figure_png",
    "figure_svg",
    "gap_figure",
    "heat_map_figure",
    "ladder_figure",
    "price_index_figure",
    "product_stack_figure",
    "resilience_figure",
    "soc_duration_figure",
    "stored_value_figure",
    "value_map_figure",
    "week_figure",
]
