"""The search for a size on the interactive page: what its boxes say, and what is shown of the answer."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from bess_opt.common.errors import ScenarioError
from bess_opt.common.findings import Finding
from bess_opt.common.progress import Told
from bess_opt.common.wording import Row, number, show
from bess_opt.inputs.scenario import Scenario
from bess_opt.investment.joint.result import JointSizing, joint_rows
from bess_opt.investment.sizing.key_figures import sizing_rows
from bess_opt.investment.sizing.result import Sizing
from bess_opt.investment.sizing.size import size
from bess_opt.plots.shared.page import figure_svg
from bess_opt.plots.shared.style import ThemeName
from bess_opt.plots.sizing.joint import joint_figure
from bess_opt.plots.sizing.surface import surface_figure

YEAR_H, NEARLY = 8760.0, 0.98  # a horizon of so much of a year stands for one
RANGES = {
    "power_from": "Power from [MW]", "power_to": "to [MW]",
    "duration_from": "Duration from [h]", "duration_to": "to [h]",
}  # fmt: skip
MONEY = ("capital_per_mw", "capital_per_mwh", "lifetime_years", "discount_rate", "horizons_per_year")
ASSUMED = {"lifetime_years": 15.0, "discount_rate": 0.07}  # what stands in the boxes of a site that states no money


@dataclass(frozen=True)
class SizeBox:
    """A box of the search: its key, its label with unit, and what stands in it at first."""

    key: str
    label: str
    text: str


@dataclass(frozen=True)
class ShownSizing:
    """What the page shows of a sizing: key figures, and the map as the address of a picture."""

    title: str
    rows: tuple[Row, ...]
    picture: str
    words: str


def size_boxes(scenario: Scenario) -> list[SizeBox]:
    """The boxes of the search for a size: ranges about the stated one, then the money."""
    battery, finance = scenario.batteries[0], scenario.finance
    power, hours = battery.power_mw, battery.duration_h
    ends = {
        "power_from": power / 4.0, "power_to": power * 4.0,
        "duration_from": min(1.0, hours), "duration_to": max(6.0, 2.0 * hours),
    }  # fmt: skip
    label = {key: text.replace("from", "of each from") for key, text in RANGES.items()}
    names = label if len(scenario.batteries) > 1 else RANGES
    boxes = [SizeBox(key, names[key], number_text(value)) for key, value in ends.items()]
    unit, hours_in_all = scenario.site.currency, len(scenario.series) * scenario.step_h
    labels = {
        "capital_per_mw": f"Cost of a MW [{unit}]", "capital_per_mwh": f"Cost of a MWh [{unit}]",
        "lifetime_years": "Life [years]", "discount_rate": "Discount rate [share a year]",
        "horizons_per_year": "Such horizons a year",
    }  # fmt: skip
    for key in MONEY:
        stated = None if finance is None else getattr(finance, key)
        if key == "horizons_per_year" and stated is None and hours_in_all < NEARLY * YEAR_H:
            stated = YEAR_H / hours_in_all
        value = stated if stated is not None else (ASSUMED.get(key) if finance is None else None)
        boxes.append(SizeBox(key, labels[key], "" if value is None else number_text(float(value))))
    return boxes


def number_text(value: float) -> str:
    """A number as people write it into a box."""
    return f"{value:.6g}"


def found_size(scenario: Scenario, written: Mapping[str, str], theme: ThemeName, told: Told) -> ShownSizing:
    """The best size for what the boxes say. ScenarioError for what is no number, and as `size`."""
    numbers = {key: _number(key, text) for key, text in written.items() if text.strip()}
    missing = [Finding("missing_key", key, "is empty", "give a number") for key in RANGES if key not in numbers]
    if missing:
        raise ScenarioError(missing)
    money: dict[str, float | int] = {key: numbers[key] for key in MONEY if key in numbers}
    years = numbers.get("lifetime_years")
    if years is not None and years.is_integer():
        money["lifetime_years"] = int(years)
    asked = scenario.replace(finance=money)
    power, hours = ((numbers[f"{name}_from"], numbers[f"{name}_to"]) for name in ("power", "duration"))
    if len(scenario.batteries) > 1:
        each = {str(battery.name): power for battery in scenario.batteries}
        return _shown_jointly(size(asked, each, hours, progress=told), theme)
    return shown_sizing(size(asked, power, hours, progress=told), theme)


def _address(figure: Figure) -> str:
    """A figure as the address of a picture."""
    svg = figure_svg(figure, prefix="size")
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _shown_jointly(best: JointSizing, theme: ThemeName) -> ShownSizing:
    """Key figures of several batteries' sizes, and what each power can be worth."""
    sizes = best.sizes
    told = [f"{name} {number(float(power))} MW" for name, power in sizes["power_mw"].items() if power > 0.0]
    title = f"Best sizes: {', '.join(told) or 'none'}" + ("" if best.build else "; not building is better")
    words = "What each battery's power can be worth at most, the other sizes free."
    notes = [(finding.severity, f"{finding.found}; {finding.expected}") for finding in best.findings]
    return ShownSizing(title, (*joint_rows(best), *notes), _address(joint_figure(best, theme=theme)), words)


def shown_sizing(best: Sizing, theme: ThemeName) -> ShownSizing:
    """Key figures and map of a sizing."""
    picture = _address(surface_figure(best, theme=theme))
    build = "" if best.build else ", but not building is better"
    title = f"Best size: {number(best.power_mw)} MW, {number(best.duration_h)} h{build}"
    words = (
        f"Map of {best.goal.kind.label} over power and duration; the best is {number(best.power_mw)} MW, "
        f"{number(best.duration_h)} h."
    )
    told = [(finding.severity, f"{finding.found}; {finding.expected}") for finding in best.findings]
    return ShownSizing(title, (*sizing_rows(best), *told), picture, words)


def _number(key: str, text: str) -> float:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        raise ScenarioError([Finding("wrong_value", key, f"found {show(text)}", "give a number")]) from None


def size_boxes_of(values: list[str | None], places: list[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    """What the boxes of the page say, by key."""
    return tuple((str(place["key"]), text or "") for place, text in zip(places, values, strict=True))
