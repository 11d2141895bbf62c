"""The map of a sizing: what is drawn, in which unit, and that the same sizing gives the same bytes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import bess_opt as bo
from bess_opt.investment.sizing.objective_units import unit_of
from bess_opt.investment.sizing.sized_program import SizedProgram
from bess_opt.plots import figure_png
from bess_opt.plots.shared.style import LIGHT
from bess_opt.plots.sizing.bounds import bound_table
from bess_opt.plots.sizing.surface import surface_figure


def scenario() -> bo.Scenario:
    time = pd.date_range("2025-06-02", periods=48, freq="h", tz="Europe/Berlin")
    price = 80.0 + 50.0 * np.sin(np.arange(48) / 24 * 4 * np.pi)
    finance = {
        "capital_per_mw": 150_000.0, "capital_per_mwh": 180_000.0, "lifetime_years": 15, "discount_rate": 0.06,
        "horizons_per_year": 182.0,
    }  # fmt: skip
    return bo.Scenario(
        battery=bo.Battery(power_mw=1, duration_h=2), series=pd.DataFrame({"price_per_mwh": price}, index=time),
        site=bo.Site(currency="EUR", import_limit_mw=4.0, export_limit_mw=4.0), strategy="arbitrage", finance=finance,
    )  # fmt: skip


def labels(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_a_map_has_units_optimum_and_tried_sizes() -> None:
    found = bo.size(scenario(), (1, 6), (1, 5), tolerance=0.2)
    figure = surface_figure(found)
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("power [MW]", "duration [h]")
    assert "EUR]" in figure.axes[0].child_axes[0].get_ylabel()
    assert {"best size", "size solved for the proof"} <= set(labels(figure))
    star = next(line for line in axes.lines if line.get_marker() == "*")
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (found.power_mw, found.duration_h)
    tried = next(line for line in axes.lines if line.get_marker() == "o")
    assert len(tried.get_xdata()) == (~found.table["exact"]).sum()
    assert f"{found.power_mw:.4g} MW" in figure.texts[0].get_text()


def test_the_certified_region_is_where_the_bound_is_above_the_best() -> None:
    """Beside the best step the bound over all sizes is higher than its value; a tight proof leaves no such room."""
    stepped = bo.size(scenario(), (1, 6), (1, 5), power_step_mw=2.5, energy_step_mwh=4.0)
    assert "only here could a size be better" in labels(surface_figure(stepped))
    assert "only here could a size be better" not in labels(surface_figure(bo.size(scenario(), (1, 6), (1, 5))))
    assert stepped.planes is not None
    far = stepped.planes.bound_at(stepped.goal.priced, np.array(1.0), np.array(1.0))
    assert far < stepped.value  # the worst corner is proven to be worse


def test_the_map_is_the_limit_that_the_search_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is solved for the picture; at every size its limit holds, and at the best it is the value."""
    found = bo.size(scenario(), (1, 6), (1, 5))
    solved = found.surface(3, 3)
    monkeypatch.setattr(SizedProgram, "__init__", None)
    assert "at most" in surface_figure(found).axes[0].child_axes[0].get_ylabel()
    assert found.planes is not None
    table = bound_table(found, found.planes)
    grid = table.pivot(index="duration_h", columns="power_mw", values="value")
    for row in solved.itertuples():
        near = grid.loc[row.duration_h, row.power_mw]
        assert near >= row.value - 1e-6 * abs(row.value)
    assert table["value"].max() == pytest.approx(found.bound_continuous, rel=1e-3)
    assert table["value"].max() <= found.bound_continuous + 1e-6 * abs(found.bound_continuous)


def test_the_map_of_a_rate_of_return_holds_every_rate() -> None:
    found = bo.size(scenario().replace(finance={"capital_per_mwh": 60_000.0}), (1, 6), (1, 5), objective="irr")
    assert found.planes is not None
    table = bound_table(found, found.planes)
    at = [(row["power_mw"], row["duration_h"], row["value"]) for row in found.table.to_dict("records")]
    for power, duration, value in at:
        near = table.iloc[((table["power_mw"] - power).abs() + (table["duration_h"] - duration).abs()).argmin()]
        assert near["value"] >= value - 2e-3
    assert table["value"].max() == pytest.approx(found.bound_continuous, abs=2e-3)


def test_budget_and_steps_are_drawn() -> None:
    found = bo.size(
        scenario(), (1, 6), (1, 5), budget=1.5e6, power_step_mw=0.5, energy_step_mwh=1.0, energy_min_mwh=1.5
    )
    named = labels(surface_figure(found))
    assert {"budget 1.5 million EUR", "size on the steps", "at least 1.5 MWh"} <= set(named)


def test_one_fixed_dimension_is_a_curve_under_its_bound() -> None:
    found = bo.size(scenario(), (1, 6), 2.0)
    axes = surface_figure(found).axes[0]
    assert axes.get_xlabel() == "power [MW] at 2 h"
    value, bound = axes.lines[0], axes.lines[1]
    below = np.interp(value.get_xdata(), bound.get_xdata(), bound.get_ydata())
    assert (np.asarray(value.get_ydata()) <= below + 1e-6 * np.abs(below)).all()


def test_without_a_proof_only_what_was_planned_is_shown() -> None:
    found = bo.size(scenario(), (1, 3), (1, 3), twin="rule", workers=1)
    figure = surface_figure(found)
    assert labels(figure) == ["size planned", "best size"]
    assert "may lie between" in figure.axes[0].get_title(loc="left")
    assert len(figure.axes[0].collections[0].get_offsets()) == len(found.table)


def test_not_building_is_said() -> None:
    dear = scenario().replace(finance={"capital_per_mwh": 9e6})
    figure = bo.size(dear, (1, 3), (1, 3)).plot()
    assert "not building is better" in figure.texts[0].get_text()


def test_themes_differ_and_bytes_do_not() -> None:
    found = bo.size(scenario(), (1, 6), (1, 5))
    surface = found.surface()
    light, again = (figure_png(surface_figure(found, surface=surface)) for _ in range(2))
    assert light == again
    assert figure_png(surface_figure(found, surface=surface, theme="dark")) != light
    assert figure_png(found.plot()) == figure_png(surface_figure(found))


@pytest.mark.parametrize(("most", "unit"), [(3e6, "million EUR"), (5e4, "thousand EUR"), (900.0, "EUR")])
def test_money_is_written_in_a_power_of_ten_that_can_be_read(most: float, unit: str) -> None:
    found = unit_of("npv", "EUR", pd.Series([-most, np.nan]))
    assert found.label == f"net present value [{unit}]"


def test_the_scale_is_one_for_all_eyes() -> None:
    assert LIGHT.sequential.name == "cividis"


def test_the_map_has_no_hole_where_it_is_highest() -> None:
    """Between the sizes solved the smooth surface rises above all of them, and above the last level of colour."""
    import numpy as np
    import pandas as pd
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    from bess_opt.plots.shared.style import theme_of
    from bess_opt.plots.sizing.size_map import _draw_filled

    x, y = np.meshgrid(np.arange(6.0), np.arange(6.0))
    known = 10.0 - (x - 2.5) ** 2 - (y - 2.5) ** 2 + 0.5  # 10 at the four middle sizes, 10.5 between them
    values = pd.DataFrame({"power_mw": x.ravel(), "duration_h": y.ravel(), "value": known.ravel()})
    figure = Figure(figsize=(4, 4))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    norm = Normalize(float(known.min()), float(known.max()))
    _draw_filled(axes, values, known.ravel(), norm, theme_of("light"))
    axes.set_axis_off()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    middle = np.asarray(canvas.buffer_rgba())[180:220, 180:220, :3]
    assert not (middle == 255).all(axis=-1).any()
