"""`--set`: what a value is taken for, where it goes, and what a wrong path is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import bess_opt as bo
from bess_opt.interfaces.cli.overrides import apply, load_with, parse


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("battery.power_mw=3", ("battery", "power_mw"), 3),
        ("battery.power_mw = 3.5", ("battery", "power_mw"), 3.5),
        ("solver.rel_gap=1e-4", ("solver", "rel_gap"), 1e-4),
        ("site.grid_charging=false", ("site", "grid_charging"), False),
        ("battery.technology=premium", ("battery", "technology"), "premium"),
        ('site.currency="EUR"', ("site", "currency"), "EUR"),
        ('strategy.window=["17:00","21:00"]', ("strategy", "window"), ["17:00", "21:00"]),
        ("battery.soc_end={value_per_mwh = 35.0}", ("battery", "soc_end"), {"value_per_mwh": 35.0}),
        ("battery.converters.ac_to_dc=1", ("battery", "converters", "ac_to_dc"), 1),
        ("tariff.energy[1].price_per_mwh=9", ("tariff", "energy", 1, "price_per_mwh"), 9),
        ("site.export_limit_mw=none", ("site", "export_limit_mw"), None),
        ("tariff.export=none", ("tariff", "export"), "none"),
        ("strategy=arbitrage", ("strategy",), "arbitrage"),
        ("site.currency=a=b", ("site", "currency"), "a=b"),
        ("site.currency=", ("site", "currency"), ""),
        ("site.currency=1\nevil = 2", ("site", "currency"), "1\nevil = 2"),
    ],
)
def test_the_value_is_toml_or_text(text: str, path: tuple[str | int, ...], value: Any) -> None:
    override = parse(text)
    assert (override.path, override.value) == (path, value)
    assert type(override.value) is type(value)


@pytest.mark.parametrize("text", ["battery.power_mw", "=3", ".a=3", "a..b=3", "a[x]=3", "a b=3", ""])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not of the form battery\.power_mw=3"):
        parse(text)


def tables() -> dict[str, Any]:
    return {
        "battery": {"power_mw": 2.0, "technology": "modern_lfp"},
        "site": {"export_limit_mw": 4.0},
        "strategy": "arbitrage",
        "tariff": {"energy": [{"price_per_mwh": 10.0}]},
    }


@pytest.mark.parametrize(
    ("texts", "key", "table"),
    [
        (["battery.power_mw=3"], "battery", {"power_mw": 3, "technology": "modern_lfp"}),
        (
            ["battery.power_mw=3", "battery.power_mw=5"],
            "battery",
            {"power_mw": 5, "technology": "modern_lfp"},
        ),
        (["site.export_limit_mw=none"], "site", {}),
        (["site.import_limit_mw=none"], "site", {"export_limit_mw": 4.0}),
        (["finance.discount_rate=0.05"], "finance", {"discount_rate": 0.05}),
        (["tariff.energy[0].price_per_mwh=7"], "tariff", {"energy": [{"price_per_mwh": 7}]}),
        (
            ["strategy=time_shift", "strategy.price_weighted=false"],
            "strategy",
            {"name": "time_shift", "price_weighted": False},
        ),
    ],
)
def test_values_go_where_they_belong(texts: list[str], key: str, table: Any) -> None:
    before = tables()
    assert apply(before, map(parse, texts))[key] == table
    assert before == tables()


def test_a_whole_table_can_go() -> None:
    assert "tariff" not in apply(tables(), [parse("tariff=none")])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("batery.power_mw=3", "--set batery: unknown table 'batery'; did you mean 'battery'?"),
        (
            "site.xport_limit_mw=none",
            "--set site.xport_limit_mw: there is no key 'xport_limit_mw' to remove; did you mean 'export_limit_mw'?",
        ),
        (
            "battery.technology.soc_min=0",
            "--set battery.technology.soc_min: battery.technology holds no keys: found 'modern_lfp'; "
            "set battery.technology as a whole",
        ),
        (
            "tariff.energy.price_per_mwh=3",
            "--set tariff.energy.price_per_mwh: tariff.energy is a list; name its row, e.g. "
            "tariff.energy[0].price_per_mwh",
        ),
        (
            "tariff.energy[4].price_per_mwh=3",
            "--set tariff.energy[4].price_per_mwh: tariff.energy has 1 rows, counted from 0; name one of them",
        ),
        (
            "site[0].currency=3",
            "--set site[0].currency: site is no list: found {'export_limit_mw': 4.0}; set site as a whole",
        ),
    ],
)
def test_a_path_that_leads_nowhere(text: str, message: str) -> None:
    with pytest.raises(bo.ScenarioError) as caught:
        apply(tables(), [parse(text)])
    assert str(caught.value) == message


def test_all_wrong_paths_are_told_at_once() -> None:
    with pytest.raises(bo.ScenarioError) as caught:
        apply(tables(), [parse("a.b=1"), parse("battery.power_mw=1"), parse("c.d=1")])
    assert [problem.where for problem in caught.value.problems] == ["--set a", "--set c"]


def test_an_override_can_mend_a_broken_file(folder: Path) -> None:
    """Overrides come before the checks, so a scenario need not be right without them."""
    file = folder / "scenario.toml"
    file.write_text(file.read_text("utf-8").replace("power_mw = 2.0 ", "power_mw = -2.0"), "utf-8")
    assert bo.validate(folder).errors
    assert load_with(folder, [parse("battery.power_mw=2")]).battery.power_mw == 2


def test_overrides_equal_replace(folder: Path) -> None:
    plain = bo.load(folder)
    texts = [
        "battery.power_mw=3",
        "battery.technology=premium",
        "site.export_limit_mw=none",
        "strategy=time_shift",
    ]
    changed = load_with(folder, [parse(text) for text in texts])
    assert changed == plain.replace(
        battery={"power_mw": 3, "technology": "premium"},
        site={"export_limit_mw": None},
        strategy="time_shift",
    )
    assert (changed.name, changed.folder) == (plain.name, plain.folder)


def test_the_series_can_be_overridden_too(folder: Path) -> None:
    changed = load_with(
        folder, [parse("series.step_min=30"), parse('series.resample={solar_mw="hold",price_per_mwh="hold"}')]
    )
    assert len(changed.series) == 336


def test_unknown_tables_of_the_file_are_still_told(folder: Path) -> None:
    with (folder / "scenario.toml").open("a", encoding="utf-8") as file:
        file.write("\n[sitte]\ncurrency = 'EUR'\n")
    with pytest.raises(bo.ScenarioError, match=r"unknown table 'sitte' in scenario\.toml; did you mean 'site'"):
        load_with(folder, [parse("battery.power_mw=3")])
