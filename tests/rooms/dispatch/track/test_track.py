"""Following a signal: energy comes from somewhere, limits are named, the numbers are the stepper's."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import bess_opt as bo
from bess_opt.dispatch.track import COLUMNS, FIGURES
from bess_opt.plant import physics, stepper
from bess_opt.plant.from_scenario import plant_of

LOSSLESS = {"eta_charge": 1.0, "eta_discharge": 1.0, "soc_min": 0.0, "soc_max": 1.0, "c_rate_max": 10.0}
NO_CONVERTER = {"ac_to_dc": 1.0, "dc_to_ac": 1.0, "dc_to_dc": 1.0}
STEPS_H = {"2 s": 2 / 3600, "5 min": 5 / 60, "15 min": 0.25, "1 h": 1.0}


def simple(**changes: Any) -> bo.Battery:
    """1 MW, 2 MWh, 0.8 each way, window 0.2 to 0.9: numbers that can be followed by hand."""
    cells = {"eta_charge": 0.8, "eta_discharge": 0.8, "soc_min": 0.2, "soc_max": 0.9, "c_rate_max": 1.0}
    values = {"power_mw": 1.0, "duration_h": 2.0, "technology": cells, "converters": NO_CONVERTER}
    return bo.Battery(**(values | changes))


# ---------------------------------------------------------------------------------------------- old mistakes


def test_no_energy_is_created_at_the_floor() -> None:
    """0.6 MWh above the floor give 0.48 MWh at the port and no more; without efficiency it would be 0.6."""
    track = bo.track(simple(), [1.0, 1.0, 1.0], step_h=1.0)
    assert track.delivered_mw == pytest.approx([0.48, 0.0, 0.0], abs=1e-15)
    assert track.energy_mwh == pytest.approx([1.0, 0.4, 0.4, 0.4], abs=1e-15)
    assert list(track.limited_by) == ["energy"] * 3
    assert track.unserved_mw == pytest.approx([0.52, 1.0, 1.0])
    assert track.delivered_share == pytest.approx(0.48 / 3)


def test_no_energy_vanishes_at_the_ceiling() -> None:
    """0.8 MWh below the ceiling take 1 MWh at the port."""
    track = bo.track(simple(), [-0.9, -0.9], step_h=1.0)
    assert track.delivered_mw == pytest.approx([-0.9, -0.1])
    assert track.soc == pytest.approx([0.5, 0.86, 0.9])
    assert list(track.limited_by) == ["", "energy"]


def test_efficiency_is_corrected_for_the_energy_taken_from_the_store() -> None:
    """An emptied store does not make an efficiency above 1: it is 0.64 whatever the end."""
    down = bo.track(simple(), [-0.1, 0.4], step_h=1.0)
    assert down.discharged_mwh / down.charged_mwh > 1.0  # what the old tool reported
    assert down.round_trip_efficiency == pytest.approx(0.64)
    assert bo.track(simple(), [-0.9, 0.1], step_h=1.0).round_trip_efficiency == pytest.approx(0.64)
    assert bo.track(simple(), [0.4], step_h=1.0).round_trip_efficiency == pytest.approx(0.64)


def test_no_throughput_no_efficiency() -> None:
    idle = bo.track(simple(), [0.0, 0.0])
    assert idle.round_trip_efficiency is None
    assert idle.delivered_share is None
    assert idle.equivalent_full_cycles == 0.0
    assert bo.track(simple(), [-0.4, -0.3]).round_trip_efficiency is None  # nothing came out yet


@pytest.mark.parametrize("soc", [0.1, 0.0, 0.95, 1.0, -0.2, 1.2])
def test_a_start_outside_of_the_window_is_an_error(soc: float) -> None:
    with pytest.raises(bo.ScenarioError, match=r"^soc_start: found .*from 0.2 to 0.9"):
        bo.track(simple(), [0.5], soc_start=soc)
    with pytest.raises(bo.ScenarioError, match=r"^soc: found .*from 0.2 to 0.9"):
        bo.step(simple(), soc, 0.5, 0.25)


def test_derating_by_the_c_rate_is_named() -> None:
    """At 0.25/h the cells of 2 MWh take and give 0.5 MW: the rated 1 MW is out of reach."""
    slow = simple(technology=simple().tech.to_plain() | {"c_rate_max": 0.25})
    track = bo.track(slow, [0.4, 1.5, -0.8], step_h=0.1)
    assert list(track.limited_by) == ["", "c-rate", "c-rate"]
    assert track.delivered_mw == pytest.approx([0.4, 0.5, -0.5])
    assert list(bo.track(simple(), [1.5, -1.5], step_h=0.1).limited_by) == ["power", "power"]


# -------------------------------------------------------------------------------------------- steps and time


def test_the_step_length_does_not_change_the_energy() -> None:
    """Two hours of the same powers, cut into steps of 2 s to 1 h: same energies, same end, same shares."""
    figures = []
    for step_h in STEPS_H.values():
        each = round(1.0 / step_h)
        signal = np.repeat([0.45, -0.7, 1.2, 1.2], each)
        track = bo.track(simple(self_discharge_per_h=0.001), signal, step_h=step_h)
        figures.append([track.to_dict()[name] for name in FIGURES] + [track.soc[-1]])
    for one in figures[1:]:
        # Self-discharge follows the path inside the hour, which the coarse step does not see.
        assert one == pytest.approx(figures[-1], rel=2e-3)


@pytest.mark.parametrize("step_h", STEPS_H.values(), ids=STEPS_H)
def test_lossless_energy_is_the_integral_of_the_power(step_h: float) -> None:
    battery = bo.Battery(power_mw=1.0, duration_h=4.0, technology=LOSSLESS, converters=NO_CONVERTER)
    signal = np.sin(np.arange(50))
    track = bo.track(battery, signal, step_h=step_h)
    assert track.stored_change_mwh == pytest.approx(-signal.sum() * step_h, abs=1e-12)
    assert track.delivered_share == 1.0
    assert track.equivalent_full_cycles == pytest.approx(np.maximum(signal, 0.0).sum() * step_h / 4.0)


def test_a_series_brings_its_own_step_and_keeps_its_index() -> None:
    """Over the spring change of clocks, with steps of 5 min."""
    index = pd.date_range("2025-03-30 01:30", periods=12, freq="5min", tz="Europe/Berlin")
    series = pd.Series(np.linspace(-1, 1, 12), index)
    track = bo.track(simple(), series)
    assert track.step_h == pytest.approx(5 / 60)
    assert track.table.index.equals(index)
    assert list(track.table) == list(COLUMNS)
    pd.testing.assert_frame_equal(track.table, bo.track(simple(), series, step_h=5 / 60).table)
    with pytest.raises(bo.ScenarioError, match=r"step_h: found 0.25 h, but the index .* 0.0833"):
        bo.track(simple(), series, step_h=0.25)


def test_sequences_and_arrays_are_the_same() -> None:
    values = [0.1, -0.2, 1, 0]
    plain = bo.track(simple(), values)
    assert plain.step_h == 0.25
    assert plain.table.index.equals(pd.RangeIndex(4))
    for other in (tuple(values), np.array(values), pd.Series(values), pd.Series(values, list("abcd"))):
        assert bo.track(simple().to_plain(), other).soc.tolist() == plain.soc.tolist()


# -------------------------------------------------------------------------------------------------- the laws

batteries = st.builds(
    lambda eta_in, eta_out, low, width, c_rate, hours, leak, topology: bo.Battery(
        power_mw=3.0,
        duration_h=hours,
        technology={
            "eta_charge": eta_in,
            "eta_discharge": eta_out,
            "soc_min": low,
            "soc_max": low + width,
            "c_rate_max": c_rate,
        },
        topology=topology,
        self_discharge_per_h=leak,
    ),
    st.floats(0.5, 1.0), st.floats(0.5, 1.0), st.floats(0.0, 0.4, allow_subnormal=False), st.floats(0.05, 0.6), st.floats(0.1, 3.0),
    st.floats(0.1, 8.0), st.sampled_from([0.0, 1e-6, 1e-3, 0.02]),
    st.sampled_from(["parallel_ac", "series_dc"]),
)  # fmt: skip
signals = st.lists(st.floats(-5.0, 5.0, allow_subnormal=False), min_size=1, max_size=40)
cases = given(batteries, signals, st.sampled_from(list(STEPS_H.values())), st.floats(0.0, 1.0))


def middle(battery: bo.Battery, share: float) -> float:
    cells = battery.tech
    return min(max(cells.soc_min + share * (cells.soc_max - cells.soc_min), cells.soc_min), cells.soc_max)


@settings(max_examples=60, deadline=None)
@cases
def test_laws(battery: bo.Battery, signal: list[float], step_h: float, share: float) -> None:
    """The window holds, the energy law closes, and what is given lies between nothing and the request."""
    track = bo.track(battery, signal, step_h=step_h, soc_start=middle(battery, share))
    energy, power, asked = track.energy_mwh, track.delivered_mw, track.requested_mw
    cells, nameplate = battery.tech, battery.energy_mwh
    assert track.soc.min() >= cells.soc_min - 1e-9
    assert track.soc.max() <= cells.soc_max + 1e-9
    inflow, outflow = np.maximum(-power, 0.0), np.maximum(power, 0.0)
    after = energy[:-1] + (inflow - outflow - track.loss_mw) * step_h
    assert energy[1:] == pytest.approx(after, abs=1e-10 * nameplate)
    assert (track.loss_mw >= -1e-12).all()
    kept = 1.0 - (1.0 - battery.self_discharge_per_h) ** step_h
    upkeep = kept * nameplate / step_h / 0.4  # most that the floor may take unasked
    assert (np.minimum(asked, 0.0) - power <= upkeep).all()
    assert (power <= np.maximum(asked, 0.0)).all()
    if not battery.self_discharge_per_h:
        assert (power >= np.minimum(asked, 0.0)).all()
        assert track.unserved_mwh == pytest.approx(np.abs(track.unserved_mw).sum() * step_h, abs=1e-12)
    changed = np.abs(track.unserved_mw) > 1e-6
    assert all(reason for reason in track.limited_by[changed])
    if track.delivered_share is not None:
        assert -1e-12 <= track.delivered_share <= 1.0


@settings(max_examples=40, deadline=None)
@example(
    bo.Battery(power_mw=3.0, duration_h=0.1, technology=LOSSLESS | {"soc_max": 0.099609375, "c_rate_max": 1.0}),
    [1.0, 0.0],
    0.25,
    1.0,
)
@cases
def test_by_hand_is_the_same_to_the_last_bit(
    battery: bo.Battery, signal: list[float], step_h: float, share: float
) -> None:
    start = middle(battery, share)
    track = bo.track(battery, signal, step_h=step_h, soc_start=start)
    soc = start
    for k, request in enumerate(signal):
        state = bo.step(battery, soc, request, step_h)
        soc = state.soc
        assert soc == track.soc[k + 1]
        assert state.energy_mwh == track.energy_mwh[k + 1]
        assert state.delivered_mw == track.delivered_mw[k]
        assert state.loss_mw == track.loss_mw[k]
        assert state.limited_by == track.limited_by[k]


@settings(max_examples=40, deadline=None)
@cases
def test_rooms_are_what_the_next_step_delivers(
    battery: bo.Battery, signal: list[float], step_h: float, share: float
) -> None:
    state = bo.step(battery, middle(battery, share), signal[0], step_h)
    gives = bo.step(battery, state.soc, 1e6, step_h).delivered_mw
    takes = bo.step(battery, state.soc, -1e6, step_h).delivered_mw
    assert state.discharge_room_mw == pytest.approx(max(gives, 0.0), abs=1e-9)
    assert state.charge_room_mw == pytest.approx(-takes, abs=1e-9)


@settings(max_examples=25, deadline=None)
@cases
def test_the_full_step_simulator_says_the_same(
    battery: bo.Battery, signal: list[float], step_h: float, share: float
) -> None:
    """`stepper.follow` on a plant with nothing but the battery and a free grid."""
    start = middle(battery, share)
    signal = [*signal, 0.0]
    step = pd.Timedelta(round(step_h * 3600), "s")
    index = pd.date_range("2025-01-01", periods=len(signal), freq=step, tz="UTC")
    series = pd.DataFrame({"load_mw": 0.0}, index=index)
    scenario = bo.Scenario(battery=battery.to_plain() | {"soc_start": start, "soc_end": "free"}, series=series)
    numbers, nothing = plant_of(scenario), np.zeros(len(signal))
    flows = stepper.follow(numbers, stepper.Setpoints(np.array(signal), nothing, nothing, nothing))
    track = bo.track(battery, signal, step_h=step_h, soc_start=start)
    scale = max(battery.energy_mwh, 3.0)
    assert track.energy_mwh == pytest.approx(flows.energy_mwh, abs=1e-9 * scale)
    assert track.delivered_mw == pytest.approx(flows.discharge_mw - flows.charge_mw, abs=2e-8 * scale)
    same = {"c-rate": "power"}
    theirs = flows.limited_by
    off = [k for k, by in enumerate(track.limited_by) if same.get(by, by) != theirs[k]]
    assert all(abs(track.unserved_mw[k]) < 1e-6 for k in off)


def test_self_discharge_is_made_up_at_the_floor_and_only_there() -> None:
    """10 % an hour of 0.4 MWh are 0.04 MWh, 0.05 MWh at the port; no discharge is served by it."""
    battery = simple(self_discharge_per_h=0.1)
    track = bo.track(battery, [0.0, 0.5], step_h=1.0, soc_start=0.2)
    assert track.delivered_mw == pytest.approx([-0.05, -0.05])
    assert list(track.limited_by) == ["energy", "energy"]
    assert track.delivered_share == 0.0
    above = bo.track(battery, [0.0], step_h=1.0, soc_start=0.5)
    assert above.delivered_mw.tolist() == [0.0]
    assert above.soc[-1] == pytest.approx(0.45)
    with pytest.raises(bo.ScenarioError, match=r"battery.self_discharge_per_h: needs .* MW to stay"):
        bo.track(simple(duration_h=100.0, self_discharge_per_h=0.5), [0.0])


def test_what_needs_a_site_or_a_calendar_does_not_apply() -> None:
    bare, more = simple(), simple(auxiliary_mw=0.3, max_cycles_per_day=0.01, soc_start=0.9, soc_end=0.9)
    assert bo.track(bare, [1.0] * 5).soc.tolist() == bo.track(more, [1.0] * 5).soc.tolist()


def test_dc_coupled_batteries_have_their_port_on_the_dc_bus() -> None:
    battery = bo.Battery(power_mw=1.0, duration_h=4.0, topology="series_dc")
    track = bo.track(battery, [-1.0], step_h=1.0)
    assert track.stored_change_mwh == pytest.approx(0.99 * math.sqrt(0.93))


def test_the_energy_law_is_linear() -> None:
    """The short cut of the loop reads the law's factors off it; were the law bent, this would show it."""
    with_these = {"eta_charge": 0.9, "eta_discharge": 0.8, "retention": 0.7, "step_h": 0.5}
    whole = physics.energy_after(2.0, 3.0, 5.0, **with_these)
    parts = [physics.energy_after(*at, **with_these) for at in ((2.0, 0, 0), (0, 3.0, 0), (0, 0, 5.0))]
    assert whole == pytest.approx(sum(parts))


# ---------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        ([0.1, math.nan, 0.2, math.inf], r"requests_mw\[1\]: found nan, and 1 more; give a number of MW"),
        ([0.1, "much"], r"requests_mw\[1\]: found 'much'"),
        ([0.1, None], r"requests_mw\[1\]: found"),
        ([0.1, True, None], r"requests_mw\[1\]: found True, and 1 more"),
        ([0.1, "0.5"], r"requests_mw\[1\]: found '0.5'"),
        ([0.1, [0.5]], r"requests_mw\[1\]: found \[0.5\]"),
        (pd.Series(["0.1", 0.2]), r"requests_mw\[0\]: found '0.1'"),
        ([], "requests_mw: has no values"),
        (np.zeros((2, 2)), "requests_mw: found an array of float64"),
        (np.array([True, False]), "requests_mw: found an array of bool"),
        ("0.5", "requests_mw: found str"),
        (0.5, "requests_mw: found float"),
        ({"a": 1.0}, "requests_mw: found dict"),
        (pd.DataFrame({"a": [1.0]}), "requests_mw: found DataFrame"),
        (pd.Series([0.1, np.nan], pd.date_range("2025-01-01", periods=2, tz="UTC", freq="h")),
         r"requests_mw\[1\] \(2025-01-01 01:00\+00:00\): found nan"),
        (pd.Series([0.1, 0.2], pd.date_range("2025-01-01", periods=2, freq="h")), "has no time zone"),
        (pd.Series(0.1, pd.to_datetime(["2025-01-01", "2025-01-02", "2025-01-04"], utc=True)), "missing"),
        (pd.Series(0.1, pd.to_datetime(["2025-01-01", "2025-01-02", "2025-01-02"], utc=True)), "already"),
    ],
)  # fmt: skip
def test_bad_requests_are_named(requests: Any, message: str) -> None:
    with pytest.raises(bo.ScenarioError, match=message):
        bo.track(simple(), requests)


def test_bad_numbers_are_named() -> None:
    for step_h in (0.0, -1.0, math.nan, "1", True):
        with pytest.raises(bo.ScenarioError, match="step_h: found"):
            bo.track(simple(), [0.1], step_h=step_h)  # type: ignore[arg-type]
    with pytest.raises(bo.ScenarioError, match="request_mw: found nan"):
        bo.step(simple(), 0.5, math.nan, 0.25)
    with pytest.raises(bo.ScenarioError, match=r"battery.power: unknown key .*power_mw"):
        bo.track({"power": 1.0, "power_mw": 1.0, "duration_h": 1.0}, [0.1])
    with pytest.raises(bo.ScenarioError, match="battery: found 3"):
        bo.track(3, [0.1])  # type: ignore[arg-type]


def test_a_track_is_frozen_and_shows_itself() -> None:
    track = bo.track(simple(), [0.1, 2.0])
    with pytest.raises(AttributeError):
        track.soc = track.soc  # type: ignore[misc]
    assert isinstance(track, bo.Track)
    assert repr(track) == "Track(2 steps of 0.25 h, 52.4% delivered, soc 0.328)"
    assert isinstance(bo.step(simple(), 0.5, 0.1, 0.25), bo.BatteryState)


# ------------------------------------------------------------------------------------------------- real data


@pytest.fixture(scope="module")
def signal() -> pd.DataFrame:
    """The regulation signal of two evenings, every 2 s, from -1 to 1; + asks for power."""
    name = "regulation_pjm/pjm_reg_signal_2s_2017_08_01_02_16h_24h.csv"
    path = Path(os.environ.get("BESS_OPT_DATA", "")) / name
    if "BESS_OPT_DATA" not in os.environ or not path.is_file():
        pytest.skip("BESS_OPT_DATA does not lead to the regulation signal")
    return pd.read_csv(path, index_col=0)


@pytest.mark.real_data
@pytest.mark.parametrize(("day", "mean"), [("8/1/2017", -0.464), ("8/2/2017", -0.540)])
def test_regulation_signal_of_a_large_battery(signal: pd.DataFrame, day: str, mean: float) -> None:
    """No limit is met, so everything is delivered and the store takes the signal's mean times eight hours."""
    battery = bo.Battery(power_mw=1.0, duration_h=20.0, technology=LOSSLESS, converters=NO_CONVERTER)
    track = bo.track(battery, signal[day], step_h=2 / 3600)
    assert track.delivered_share == 1.0
    assert not any(track.limited_by)
    assert track.stored_change_mwh == pytest.approx(-mean * 14_401 * 2 / 3600, abs=5e-4 * 8)
    assert track.round_trip_efficiency == pytest.approx(1.0)
    assert track.losses_mwh == pytest.approx(0.0, abs=1e-12)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("day", "share", "full_after_h"), [("8/1/2017", 0.2803, 0.5972), ("8/2/2017", 0.3035, 1.2067)]
)
def test_regulation_signal_of_a_one_hour_battery(
    signal: pd.DataFrame, day: str, share: float, full_after_h: float
) -> None:
    """1 MW, 1 MWh of LFP fills up on this signal; beside it a loop that knows nothing of ours."""
    requests, step_h = signal[day].to_numpy(), 2 / 3600
    eta = 0.96 * math.sqrt(0.93)
    energy, served, first_full = 0.5, 0.0, None
    for k, request in enumerate(requests):
        cells = -request * eta if request < 0 else -request / eta
        after = min(max(energy + cells * step_h, 0.10), 0.95)
        moved = (after - energy) / step_h
        served += abs(moved / eta if moved > 0 else moved * eta) * step_h
        if first_full is None and after >= 0.95:
            first_full = k * step_h
        energy = after
    track = bo.track(bo.Battery(power_mw=1.0, duration_h=1.0), requests, step_h=step_h)
    assert track.delivered_share == pytest.approx(served / (np.abs(requests).sum() * step_h), rel=1e-9)
    assert track.delivered_share == pytest.approx(share, abs=5e-5)
    assert np.argmax(track.limited_by == "energy") * step_h == pytest.approx(first_full, abs=1e-9)
    assert first_full == pytest.approx(full_after_h, abs=5e-4)
    assert track.soc[-1] == pytest.approx(energy, abs=1e-9)
    assert track.round_trip_efficiency == pytest.approx(eta * eta)
