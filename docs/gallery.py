"""The pictures of the gallery: each question that the package draws an answer to, on a shipped scenario.

Drawn by `docs/site_pages.py` when the site is built, in light and dark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Picture:
    """A picture: the name of its file, the question it answers, the line of code, and what draws it in a theme."""

    name: str
    question: str
    code: str
    draw: Callable[[str], Any]


@cache
def _scenario(name: str) -> Any:
    import bess_opt as bo

    return bo.load(ROOT / "scenarios" / name)


@cache
def _plan(name: str) -> Any:
    import bess_opt as bo

    return bo.optimize(_scenario(name))


@cache
def _ladder(name: str) -> Any:
    import bess_opt as bo

    return bo.compare(_scenario(name))


@cache
def _sizing() -> Any:
    import bess_opt as bo

    return bo.size(_scenario("solar_merchant"), power_mw=(1, 20), duration_h=(1, 8))


@cache
def _connection() -> Any:
    import bess_opt as bo

    return bo.connection(_scenario("flexible_connection"))


@cache
def _money() -> Any:
    import bess_opt as bo

    plan = _plan("solar_merchant")
    return bo.financials(plan, bo.simulate(plan.scenario, rule=lambda _state: 0.0), ageing=bo.ageing(plan))


@cache
def _quarters() -> Any:
    import bess_opt as bo

    year = _scenario("arbitrage_15min")
    return bo.optimize(year.replace(series=year.series.iloc[: 14 * 96], finance=None))


@cache
def _outages() -> Any:
    import bess_opt as bo

    return bo.resilience(_scenario("office_with_tariff"), 0.5)


@cache
def _wear() -> Any:
    import bess_opt as bo

    return bo.wear_price(_scenario("solar_merchant"))


def _actions(theme: str) -> Any:
    from bess_opt import plots

    return plots.action_figure(_plan("solar_merchant").schedule, theme="dark" if theme == "dark" else "light")


def pictures() -> list[Picture]:
    """All of them, in the order of the page."""
    return [
        Picture("week", "What does the plant do in a week, and in the year?", "bo.optimize(scenario).plot()",
                lambda theme: _plan("solar_merchant").plot(theme=theme)),
        Picture("value", "What is a MWh in store worth, and when?", 'plan.plot("value", "2025-06-23")',
                lambda theme: _plan("solar_merchant").plot("value", "2025-06-23", theme=theme)),
        Picture("ladder", "How much of the optimum does a simple controller reach?", "bo.compare(scenario).plot()",
                lambda theme: _ladder("solar_evening").plot(theme=theme)),
        Picture("size", "Which size pays best, and how sure is that?", "bo.size(scenario, (1, 20), (1, 8)).plot()",
                lambda theme: _sizing().plot(theme=theme)),
        Picture("bill", "What is on the bill, with the battery and without?", "plan.bill.plot()",
                lambda theme: _plan("office_with_tariff").bill.plot(theme=theme)),
        Picture("connection", "What does each clause of a connection cost?", "bo.connection(scenario).plot()",
                lambda theme: _connection().plot(theme=theme)),
        Picture("batteries", "Two batteries behind one connection: who moves when?", "bo.optimize(scenario).plot()",
                lambda theme: _plan("two_batteries_one_connection").plot(theme=theme)),
        Picture("depot", "What does a depot do whose cars leave in the morning?", "bo.optimize(scenario).plot()",
                lambda theme: _plan("depot_with_cars").plot(theme=theme)),
        Picture("quarters", "What does a plan in quarter-hours do?",
                "bo.optimize(scenario).plot()", lambda theme: _quarters().plot(theme=theme)),
        Picture("reserves", "What does a battery hold in reserve beside its trade?",
                'bo.optimize(scenario).plot("stack")',
                lambda theme: _plan("energy_and_reserve").plot("stack", theme=theme)),
        Picture("prices", "At which prices does the battery act?", "bess_opt.plots.action_figure(plan.schedule)",
                lambda theme: _actions(theme)),
        Picture("outages", "How long does the site last without the grid?", "bo.resilience(scenario, 0.5).plot()",
                lambda theme: _outages().plot(theme=theme)),
        Picture("wear", "Which price of wear lets the battery earn most over its life?",
                "bo.wear_price(scenario).plot()", lambda theme: _wear().plot(theme=theme)),
        Picture("money", "When does it pay back?", "bo.financials(plan, idle).plot()",
                lambda theme: _money().plot(theme=theme)),
    ]  # fmt: skip


def draw(folder: Path, key: str) -> list[str]:
    """Draw what is not there yet from the same code; the names of all."""
    folder.mkdir(parents=True, exist_ok=True)
    told = folder / "key.txt"
    shown = pictures()
    if not told.is_file() or told.read_text("utf-8") != key:
        for picture in shown:
            for theme in ("light", "dark"):
                figure = picture.draw(theme)
                file = folder / f"{picture.name}_{theme}.png"
                figure.savefig(file, dpi=80, facecolor=figure.get_facecolor(), metadata={"Software": None})
        told.write_text(key, "utf-8")
    return [picture.name for picture in shown]


def page(names: list[str]) -> str:
    """The page of the gallery; a reader in the dark sees the dark pictures."""
    parts = [
        "# Gallery",
        "One picture a question, drawn from the shipped scenarios by the line above it when this site was built.",
    ]
    for picture in pictures():
        if picture.name in names:
            parts += [
                f"## {picture.question}",
                f"```text\n{picture.code}\n```",
                f"![{picture.question}](gallery/{picture.name}_light.png#only-light)\n"
                f"![{picture.question}](gallery/{picture.name}_dark.png#only-dark)",
            ]
    return "\n\n".join(parts) + "\n"
