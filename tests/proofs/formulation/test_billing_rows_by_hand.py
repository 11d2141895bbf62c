"""Rows of measured peaks by hand, of billing intervals that the horizon cuts short too."""

from __future__ import annotations

from support.cases import case
from support.models import wanted

from bess_opt.solver.expand import expand


def test_a_cut_interval_measures_the_mean_of_what_is_there() -> None:
    """Six quarter hours, billed by the hour: four count a quarter each, the last two a half each."""
    of = case(
        strategy="peak_shaving",
        step_min=15,
        load_mw=[1.0] * 6,
        price_per_mwh=[50.0] * 6,
        tariff={"demand": [{"price_per_mw_month": 9000.0, "interval_min": 60}]},
    )
    program = expand(wanted(of)[0])
    found = {}
    for name in ("measured_peak", "measured_peak_cut"):
        (place,) = range(program.constraints[name].slice.start, program.constraints[name].slice.stop)
        span = slice(program.start[place], program.start[place + 1])
        names = [program.column_name(int(column)) for column in program.column[span]]
        found[name] = dict(zip(names, program.value[span].tolist(), strict=True))
        assert float(program.row_lower[place]) == 0.0
    peak = {("measured_mw", 0): 1.0}
    assert found["measured_peak"] == peak | {("import_mw", step): -0.25 for step in range(4)}
    assert found["measured_peak_cut"] == peak | {("import_mw", step): -0.5 for step in (4, 5)}
