"""Files of known kinds of other days, regions and forms: what was written is read again, over changes of the clock."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from support.written_kinds import Written, every_file

import bess_opt as bo

VERBS = {"price": bo.read_prices, "load": bo.read_load, "solar": bo.read_solar}
FILES = dict(every_file())


@pytest.mark.parametrize("name", FILES)
def test_what_was_written_is_read(tmp_path: Path, name: str) -> None:
    written: Written = FILES[name]
    file = tmp_path / written.file
    file.write_text(written.text, encoding="utf-8")
    read = VERBS[written.verb](file, **written.stated)
    assert list(read.index.tz_convert("UTC")) == list(written.index.tz_convert("UTC"))
    assert read.iloc[:, 0].tolist() == pytest.approx(list(written.values), rel=1e-9)


@pytest.mark.parametrize("clock", [None, "America/New_York"])
def test_local_times_beside_utc_must_agree(tmp_path: Path, clock: str | None) -> None:
    """Headers of the two swapped: five hours off, unless it is said."""
    local = pd.date_range("2024-07-01", periods=24, freq="h", tz="America/New_York")
    rows = "".join(
        f"{t:%Y-%m-%d %H:%M},{u:%Y-%m-%d %H:%M},{n}\n"
        for n, (t, u) in enumerate(zip(local, local.tz_convert("UTC"), strict=True))
    )
    file = tmp_path / "a.csv"
    for kind in (
        "datetime_beginning_utc,datetime_beginning_ept,total_lmp_da",
        "start_utc,start_local,price (USD/MWh)",
    ):
        file.write_text(f"{kind}\n{rows}")
        if clock is None and kind.startswith("start"):
            continue  # any clock may be meant
        with pytest.raises(
            bo.ScenarioError,
            match=r"a\.csv row 2: column .* shows '2024-07-01 04:00' beside 2024-07-01 00:00 UTC, which is not the clock of America/New_York; see whether the headers",
        ):
            bo.read_prices(file, clock=clock)


def test_a_longer_day_with_the_usual_numbers_keeps_another_clock(tmp_path: Path) -> None:
    written = FILES["nem12 2025-04-06"]
    (tmp_path / written.file).write_text(written.text)
    with pytest.raises(
        bo.ScenarioError,
        match=r'2025-04-06 has 50 steps on the clock of Australia/Sydney, but 48 here; .* clock="Etc/GMT-11"',
    ):
        bo.read_load(tmp_path / written.file, place="E1", clock="Australia/Sydney")


def test_a_zone_that_no_german_clock_has_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "spot.csv"
    head = "Datum;von;Zeitzone von;bis;Zeitzone bis;Spotmarktpreis in ct/kWh"
    for zones, message in ((("CET", "UTC"), "'UTC'"), (("CET", ""), "an empty cell")):
        rows = [f"01.01.2025;{h:02d}:00;{zones[h]};{h + 1:02d}:00;{zones[h]};5,05" for h in (0, 1)]
        file.write_text("\n".join([head, *rows]) + "\n")
        with pytest.raises(
            bo.ScenarioError, match=rf"column Zeitzone von: found .*{message}.*; write CET, CEST, or UTC"
        ):
            bo.read_prices(file)
