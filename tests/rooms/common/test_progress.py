"""How far a long run is: what is told while it works, and what is left when it is ended on the way."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.cases import case

import bess_opt as bo
from bess_opt.common.progress import Stretch
from bess_opt.common.progress_bar import followed, told_line

IDEAL = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 4.0}
LOSSLESS = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
HELD = {
    "power_mw": 1.0,
    "duration_h": 2.0,
    "technology": IDEAL,
    "converters": LOSSLESS,
    "soc_start": 0.5,
    "soc_end": "at_least_start",
}
LIFE = {"capital_per_mw": 10_000.0, "capital_per_mwh": 20_000.0, "lifetime_years": 10, "discount_rate": 0.06}


class Ear:
    """Who is told; asks for the end at the event of that number."""

    def __init__(self, ends_at: int | None = None) -> None:
        self.events: list[bo.Progress] = []
        self.ends_at = ends_at

    def __call__(self, event: bo.Progress) -> None:
        self.events.append(event)
        if self.ends_at is not None and len(self.events) > self.ends_at:
            raise StopIteration


def week(**more: object) -> bo.Scenario:
    price = 50.0 + 30.0 * np.sin(np.arange(168) / 168 * 2 * np.pi * np.linspace(5.0, 9.0, 168))
    return case(price_per_mwh=price.round(3).tolist(), battery=HELD, **more).scenario()


def sized(**more: object) -> bo.Scenario:
    return week(finance=LIFE | {"horizons_per_year": 52.0}, **more)


def whole(events: list[bo.Progress]) -> None:
    """Shares rise from 0 to 1, and no time is left at the end."""
    shares = [event.share for event in events]
    assert shares[0] == 0.0
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert events[-1].left_s == 0.0
    assert all(event.doing for event in events)


def test_parts_of_parts_make_one_run() -> None:
    ear = Ear()
    run = Stretch(ear)
    run.tell(0.0, "one")
    second = run.part(0.5, 1.0)
    second.part(0.0, 0.5).tell(1.0, "two", best=3.0)
    second.tell(0.1)  # a share never falls
    run.tell(2.0, bound=5.0)
    assert [event.share for event in ear.events] == [0.0, 0.75, 0.75, 1.0]
    assert ear.events[2].doing == "two"
    assert (ear.events[3].best, ear.events[3].bound) == (3.0, 5.0)
    assert ear.events[0].left_s is None


def test_size_tells_best_and_bound_which_close_on_the_answer() -> None:
    ear = Ear()
    best = bo.size(sized(), (0.2, 3.0), (0.5, 6.0), progress=ear)
    whole(ear.events)
    known = [event for event in ear.events if event.bound is not None and event.best is not None]
    gaps = [event.bound - event.best for event in known]
    assert len(gaps) > 2
    assert gaps[0] > gaps[-1]
    assert all(event.bound >= best.value - 1e-6 * abs(best.value) for event in known)
    assert known[-1].bound == pytest.approx(best.bound, rel=1e-3)


def test_size_that_is_ended_keeps_the_best_so_far_and_its_bound() -> None:
    """The bound proven so far holds for the true best; the size found is planned, audited and says what it is."""
    full = bo.size(sized(), (0.2, 3.0), (0.5, 6.0))
    part = bo.size(sized(), (0.2, 3.0), (0.5, 6.0), progress=Ear(ends_at=1))
    assert part.calls < full.calls
    assert part.value < full.value
    assert part.bound >= full.value
    assert part.plan.metrics.balance_residual_mwh < 1e-6
    assert [f.code for f in part.findings if f.code in ("cancelled", "gap_open")] == ["cancelled", "gap_open"]
    assert "cancelled" not in [f.code for f in full.findings]


def test_size_on_a_grid_that_is_ended_takes_the_best_of_what_was_planned() -> None:
    ear = Ear(ends_at=3)
    part = bo.size(sized(), (0.5, 2.0), (1.0, 2.0), twin="rule", power_step_mw=0.5, energy_step_mwh=0.5, progress=ear)
    assert len(part.table) == 3
    assert part.value == part.table["value"].max()
    assert "cancelled" in [f.code for f in part.findings]


def test_study_that_is_ended_returns_and_keeps_what_is_done(tmp_path: Path) -> None:
    """The next call goes on where the first one ended."""
    asked = {f"at {price}": week(site={"export_limit_mw": price}) for price in (0.2, 0.4, 0.6, 0.8)}
    part = bo.study(asked, workers=1, out=tmp_path / "o", progress=Ear(ends_at=2))
    assert list(part.index) == ["at 0.2", "at 0.4"]
    ear = Ear()
    full = bo.study(asked, workers=1, out=tmp_path / "o", progress=ear)
    assert list(full.index) == list(asked)
    assert full.loc[part.index].equals(part)
    assert len(ear.events) == len(asked) - len(part) + 2  # the beginning, two rows, the end
    assert ear.events[-1].share == 1.0


def test_control_compare_and_report_tell_and_end() -> None:
    scenario = sized()
    for verb, least in (
        (lambda told: bo.control(scenario, horizon_h=24.0, every_h=6.0, progress=told), 4),
        (lambda told: bo.compare(scenario, forecast="persistence", every_h=24.0, progress=told), 8),
        (lambda told: bo.report(scenario, progress=told), 8),
    ):
        ear = Ear()
        verb(ear)
        whole(ear.events)
        assert len(ear.events) > least
        with pytest.raises(bo.CancelledError, match="cancelled before there was a result"):
            verb(Ear(ends_at=2))


LOSSY = {"technology": "modern_lfp", "converters": {"ac_to_dc": 0.96, "dc_to_ac": 0.96, "dc_to_dc": 0.99}}
NEGATIVE = week().replace(battery=LOSSY, solver={"engine": "highs"}, series=week().series.iloc[:96] - 55.0)


def test_optimize_tells_best_and_bound_of_its_search_and_plans_the_same() -> None:
    """Prices below zero: the relaxed plan charges and discharges at once, and the search is told of between its bound and the plan."""
    ear = Ear()
    plan = bo.optimize(NEGATIVE, progress=ear)
    whole(ear.events)
    assert plan.schedule.equals(bo.optimize(NEGATIVE).schedule)
    searching = [event for event in ear.events if event.doing == "keeping each converter one way"]
    assert len(searching) > 3
    assert searching[0].bound > plan.report.bound + 1.0
    assert (ear.events[-1].best, ear.events[-1].bound) == (plan.report.objective, plan.report.bound)


def test_optimize_that_is_ended_keeps_the_best_plan_so_far_and_its_bound(tmp_path: Path) -> None:
    full, ear = bo.optimize(NEGATIVE), Ear()
    bo.optimize(NEGATIVE, progress=ear)
    first = next(place for place, event in enumerate(ear.events) if event.bound is not None)
    with pytest.raises(bo.CancelledError, match="cancelled before there was a result"):
        bo.optimize(NEGATIVE, progress=Ear(ends_at=first - 1))
    part = bo.optimize(NEGATIVE, progress=Ear(ends_at=first + 2))
    assert part.report.status == "cancelled"
    assert part.report.objective <= full.report.objective + 1e-6 <= part.report.bound + 2e-6
    assert part.report.gap > 0.0
    assert [f.sentence() for f in part.findings if f.code == "cancelled"] == [
        "progress: the search was ended from outside; this is the best plan so far; "
        "run it again to the end for the best of all"
    ]
    part.save(tmp_path / "part")
    assert bo.load_dispatch(tmp_path / "part").report.status == "cancelled"
    late = bo.optimize(NEGATIVE, progress=Ear(ends_at=len(ear.events) - 2))
    assert (late.report.status, late.report.gap) == ("optimal", full.report.gap)


def test_optimize_of_stepwise_programs_tells_its_stages() -> None:
    ear = Ear()
    plan = bo.optimize(week(), progress=ear)
    whole(ear.events)
    assert plan.report.engine == "value_function"
    assert [event.doing for event in ear.events] == ["optimizing", "preparing", "solving", "auditing", "auditing"]


def test_surface_tells_rows_and_ends() -> None:
    best = bo.size(sized(), (0.2, 3.0), (0.5, 6.0))
    ear = Ear()
    with pytest.raises(bo.CancelledError):
        best.surface(3, 4, progress=Ear(ends_at=2))
    best.surface(3, 4, progress=ear)
    whole(ear.events)
    assert len(ear.events) == 6


def test_another_error_of_who_is_told_is_the_callers_own() -> None:
    def breaks(event: bo.Progress) -> None:
        raise ZeroDivisionError(event.doing)

    with pytest.raises(ZeroDivisionError, match="comparing"):
        bo.compare(week(), progress=breaks)


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_bar_is_silent_without_a_terminal_and_shows_figures_on_one(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    bo.size(sized(), (0.2, 3.0), (0.5, 6.0), progress=None)
    assert capfd.readouterr() == ("", "")
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    with followed(None, "looking") as run:
        run.tell(0.5, best=1234.5, bound=2000.0)
    shown = screen.getvalue()
    assert "looking" in shown
    assert "best 1,234, bound 2,000" in shown
    assert "100%" in shown
    assert capfd.readouterr().out == ""


def test_line_leaves_out_what_is_not_known() -> None:
    assert told_line(bo.Progress(0.5)) == ""
    assert told_line(bo.Progress(0.5, best=math.pi)) == "best 3.142"


def test_notebook_draws_one_line_in_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for, the bar is one display of the cell, drawn anew; not asked for, there is none."""
    shown: list[str] = []

    class Handle:
        def update(self, drawn: object) -> None:
            shown.append(drawn.data)

    def display(drawn: object, display_id: bool) -> Handle:
        assert display_id
        shown.append(drawn.data)
        return Handle()

    pytest.importorskip("IPython")
    monkeypatch.setattr("IPython.get_ipython", lambda: type("Shell", (), {"kernel": object()})())
    monkeypatch.setattr("IPython.display.display", display)
    with followed(True, "a <b> & c") as run:
        run.tell(0.25, best=2.0)
    assert shown[1].startswith('<progress max="1" value="0.250"></progress> a &lt;b&gt; &amp; c, 25%, best 2, ')
    assert len(shown) == 3
    with followed(None, "quiet") as run:
        run.tell(0.5)
    assert len(shown) == 3


def test_unsized_scenarios_are_counted() -> None:
    ear = Ear()
    bo.study(itertools.islice(itertools.repeat(week()), 2), workers=1, progress=ear)
    assert [event.share for event in ear.events] == [0.0, 0.0, 0.0, 1.0]
    assert ear.events[-1].doing.startswith("scenarios 2, ")


CLAUSES = [
    {"name": "evening", "export_mw": 0.5, "hours": ["17:00", "21:00"]},
    {"name": "ramp", "ramp_mw_per_min": 0.01},
]


def days(scenario: bo.Scenario, **more: object) -> bo.Scenario:
    """Two days of it."""
    return scenario.replace(series=scenario.series.iloc[:48], **more)


def wear_of(told: Ear) -> Any:
    return bo.wear_price(days(sized(), battery={"technology": "modern_lfp"}), progress=told)


def outages_of(told: Ear) -> Any:
    return bo.resilience(days(week(load_mw=[0.3] * 168)), 0.5, progress=told)


def clauses_of(told: Ear) -> Any:
    return bo.connection(days(week(), connection=CLAUSES), progress=told)


def factors_of(told: Ear) -> Any:
    return bo.sensitivity(days(sized()), 1.0, (1.0, 2.0), ["discount_rate"], progress=told)


def years_of(told: Ear) -> Any:
    scenario = week()
    price = scenario.series["price_per_mwh"]
    years = pd.DataFrame({str(year): price * (1.0 + year / 10.0) for year in range(6)})
    return bo.optimize_many(scenario, years, progress=told)


@pytest.mark.parametrize("verb", [outages_of, clauses_of, factors_of, wear_of, years_of])
def test_verbs_of_several_plans_tell_how_far_they_are(verb: Callable[[Ear], Any]) -> None:
    """The share rises to 1; told to end at once, nothing is planned."""
    ear = Ear()
    verb(ear)
    shares = [event.share for event in ear.events]
    assert len(shares) >= 3
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    with pytest.raises(bo.CancelledError, match="cancelled before there was a result"):
        verb(Ear(ends_at=0))


def test_what_has_parts_gives_those_that_are_done() -> None:
    """Ended on the way: the years that are done, and the best price of wear with a bound that holds."""
    whole, part = years_of(Ear()), years_of(Ear(ends_at=2))
    assert 0 < len(part.table) < len(whole.table)
    pd.testing.assert_frame_equal(part.table, whole.table.iloc[: len(part.table)])
    best, early = wear_of(Ear()), wear_of(Ear(ends_at=2))
    assert len(early.table) < len(best.table)
    assert early.value <= best.value <= early.bound + 1e-6 * abs(early.bound)
