"""Work in a process of its own: the answers of the Python calls, an end at once, errors as words."""

from __future__ import annotations

import io
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import pytest
from support.app_sites import small

import bess_opt as bo
from bess_opt.interfaces.app.controls import changed, controls_of
from bess_opt.interfaces.app.page import bill_table
from bess_opt.interfaces.app.work import KEPT, MOST_PAGES, Desk, Desks, Job, Task, new_page

SOON_S = 300.0  # a guard against work that hangs, not a measure: the machine may be busy


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    made = Desk(small())
    yield made
    made.close()


def ended(desk: Desk, number: int) -> Job:
    limit = time.monotonic() + SOON_S
    while time.monotonic() < limit:
        job = desk.job(number)
        assert job is not None
        if job.state != "running":
            return job
        time.sleep(0.02)
    raise AssertionError("the work did not end")


def test_answers_are_those_of_the_python_calls(desk: Desk) -> None:
    """Bit for bit, and a second question is answered from memory."""
    controls = replace(controls_of(small()), power_mw=1.5)
    job = ended(desk, desk.start(Task("plans", controls)))
    assert (job.state, job.errors) == ("done", ())
    scenario = changed(small(), controls)
    assert job.plans["optimal"].metrics == bo.optimize(scenario).metrics
    pd.testing.assert_frame_equal(job.plans["rule"].schedule, bo.simulate(scenario).schedule, check_exact=True)
    again = desk.job(desk.start(Task("plans", controls)))
    assert again is not None
    assert again.state == "done"


@pytest.mark.slow
def test_the_bill_of_a_tariff_comes_with_its_plans() -> None:
    """The page shows the table that `plan.bill` has, with its total; a site without a tariff has none."""
    tariff = {"demand": [{"price_per_mw_month": 9000.0}], "fixed_per_month": 120.0}
    load = small().series.assign(load_mw=0.5)
    billed = small(series=load, tariff=tariff)
    desk = Desk(billed)
    try:
        job = ended(desk, desk.start(Task("plans", controls_of(billed))))
        plain = Desk(small())
        bare = ended(plain, plain.start(Task("plans", controls_of(small()))))
        plain.close()
    finally:
        desk.close()
    heads, rows = job.bills["optimal"]
    assert rows[-1][heads.index("EUR paid")] == f"{job.plans['optimal'].bill.total:,.2f}"
    assert len(rows) == len(job.plans["optimal"].bill.table) + 1
    assert bare.bills == {}
    (shown,) = bill_table(job.bills["rule"])
    assert f"The bill: {job.plans['rule'].bill.total:,.2f} EUR paid" in str(shown)
    assert bill_table(None) == []


def test_a_wrong_scenario_is_words_and_the_worker_lives(desk: Desk) -> None:
    """`hybrid` needs to know how much of the array is on the battery's bus."""
    job = ended(desk, desk.start(Task("plans", replace(controls_of(small()), topology="hybrid"))))
    assert job.state == "failed"
    assert any("dc_share" in line for line in job.errors)
    assert not any("Traceback" in line or "error of bess-opt" in line for line in job.errors)
    assert ended(desk, desk.start(Task("plans", controls_of(small())))).state == "done"


def test_a_bug_is_said_and_not_thrown(desk: Desk) -> None:
    wrong = Task("plans", replace(controls_of(small()), topology=["no", "text"]))  # type: ignore[arg-type]
    job = ended(desk, desk.start(wrong))
    assert job.state == "failed"
    assert job.errors
    assert not any("Traceback" in line for line in job.errors)


def test_cancel_stops_at_once() -> None:
    """The process is gone, the job says so, and the next one gets a new process."""
    desk = Desk(small())
    number = desk.start(Task("plans", controls_of(small())))
    (process,) = desk.workers.processes()
    desk.cancel(number)
    assert process.exitcode == -signal.SIGKILL, "a process that nobody waits for stays a zombie"
    assert desk.workers.processes() == []
    job = desk.job(number)
    assert job is not None
    assert job.state == "cancelled"
    assert ended(desk, desk.start(Task("plans", controls_of(small())))).state == "done"
    desk.close()


def test_a_new_question_takes_the_place_of_the_old(desk: Desk) -> None:
    first = desk.start(Task("plans", replace(controls_of(small()), power_mw=2.25)))
    second = desk.start(Task("plans", replace(controls_of(small()), power_mw=2.5)))
    job = ended(desk, second)
    assert (job.state, job.errors) == ("done", ())
    assert ended(desk, first).state == "cancelled"


def test_a_worker_that_dies_is_noticed() -> None:
    desk = Desk(small())
    number = desk.start(Task("plans", controls_of(small())))
    (process,) = desk.workers.processes()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    job = ended(desk, number)
    assert (job.state, job.errors) == ("failed", ("the work ended without an answer; too little memory?",))
    desk.close()


def test_only_so_many_are_remembered(desk: Desk) -> None:
    controls = controls_of(small())
    ended(desk, desk.start(Task("plans", controls)))
    numbers = [desk.start(Task("plans", controls)) for _ in range(KEPT + 1)]
    assert desk.job(numbers[0]) is None
    assert desk.job(numbers[-1]) is not None


def test_the_report_is_that_of_the_python_call(desk: Desk) -> None:
    job = ended(desk, desk.start(Task("report", controls_of(small()))))
    assert job.report == bo.report(small())


def test_a_schedule_as_csv_reads_back(desk: Desk) -> None:
    from bess_opt.dispatch.saving import schedule_csv

    plan = ended(desk, desk.start(Task("plans", controls_of(small())))).plans["optimal"]
    table = pd.read_csv(io.BytesIO(schedule_csv(plan.schedule)))
    assert len(table) == len(plan.schedule)
    assert table["battery_mw"].to_numpy() == pytest.approx(plan.schedule["battery_mw"].to_numpy(), abs=1e-8)


@pytest.mark.slow
def test_pages_side_by_side_each_get_their_own_answer() -> None:
    """More pages than workers: none ends another's work, each waits for its turn."""
    desks = Desks(small())
    asked = {new_page(): replace(controls_of(small()), power_mw=0.5 + 0.25 * number) for number in range(4)}
    numbers = {page: desks.of(page).start(Task("plans", controls)) for page, controls in asked.items()}
    for page, controls in asked.items():
        job = ended(desks.of(page), numbers[page])
        assert (job.state, job.errors) == ("done", ())
        assert job.plans["optimal"].scenario.battery.power_mw == controls.power_mw
    workers = desks._workers.processes()
    assert 1 <= len(workers) <= (os.cpu_count() or 1)
    desks.close()
    assert all(worker.exitcode == -signal.SIGKILL for worker in workers)


def test_a_name_that_no_page_has_is_refused_and_old_pages_are_given_up() -> None:
    desks = Desks(small())
    for name in (None, 7, "", "../x", "A" * 32, ["0" * 32]):
        with pytest.raises(ValueError, match="no page of this server"):
            desks.of(name)
    first = new_page()
    desk = desks.of(first)
    assert desks.of(first) is desk
    for _ in range(MOST_PAGES):
        desks.of(new_page())
    assert desks.of(first) is not desk
    desks.close()
