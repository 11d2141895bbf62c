"""The documentation cannot go stale: pages are as the code makes them, recipes are followed, links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from support.places import ROOT

from bess_opt.strategies.shared.discovery import discover

DOCS = ROOT / "docs"
MADE_WITH_THE_SITE = ("gallery.md", "contributing.md", "changelog.md")


@pytest.mark.second_tier
def test_made_pages_are_as_the_code_makes_them() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_a_stale_page_is_told(tmp_path: Path) -> None:
    """One letter changed in a copy of the page on names ends with exit code 1 and the page's name."""
    sys.path.insert(0, str(DOCS))
    try:
        import generate
    finally:
        sys.path.remove(str(DOCS))
    made = generate.nomenclature()
    here, pages = generate.HERE, generate.PAGES
    try:
        generate.HERE, generate.PAGES = tmp_path, {"nomenclature.md": generate.nomenclature}
        assert generate.main(["--check"]) == 1
        assert generate.main([]) == 0
        assert generate.main(["--check"]) == 0
        (tmp_path / "nomenclature.md").write_text(made.replace("MW", "kW"), "utf-8")
        assert generate.main(["--check"]) == 1
    finally:
        generate.HERE, generate.PAGES = here, pages


def test_every_constraint_and_strategy_has_its_place() -> None:
    """Golden rows are there for each constraint; each of them stands on the page."""
    formulation = (DOCS / "formulation.md").read_text("utf-8")
    files = sorted((ROOT / "tests" / "proofs" / "formulation" / "golden").glob("*.lp"))
    assert len(files) > 100
    for golden in files:
        assert f"### `{golden.stem}`" in formulation, golden.stem
    catalogue = (DOCS / "strategies.md").read_text("utf-8")
    for name, strategy in discover().items():
        part = catalogue.split(f"## `{name}`")[1].split("\n## ")[0]
        assert "When not to use" in " ".join(part.split()), f"{name} does not say when not to use it"
        for option in strategy.options.model_fields:
            assert f"| `{option}` |" in part


def test_links_lead_somewhere() -> None:
    for page in sorted(DOCS.glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)[^)]*\)", page.read_text("utf-8")):
            there = (DOCS / target).exists() or target in MADE_WITH_THE_SITE
            assert there, f"{page.name} links to {target}, which is not there"


# ---- the recipes, followed word by word


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.stem)
def test_every_fence_is_a_block_of_the_built_page(page: Path) -> None:
    """Read as the site reads it: a fence that it does not know stands as text on the page."""
    markdown = pytest.importorskip("markdown")
    html = markdown.markdown(page.read_text("utf-8"), extensions=["tables", "fenced_code", "toc"])
    outside = re.sub(r"<pre>.*?</pre>", "", html, flags=re.DOTALL)
    assert "```" not in html
    assert page.read_text("utf-8").count("\n```") == 2 * html.count("<pre>")
    assert "<p>import " not in outside


def follow(page: str, folder: Path) -> dict[str, object]:
    """Run the blocks of a recipe in order: those after a path become files, bash runs, Python shares its names."""
    names: dict[str, object] = {}
    text = (DOCS / page).read_text("utf-8")
    for title, language, body in re.findall(r"(?:^`([^`\n]+)`:\n\n)?^```(\w+)\n(.*?)```", text, re.DOTALL | re.M):
        if title:
            (folder / title).parent.mkdir(exist_ok=True)
            (folder / title).write_text(body, "utf-8")
        elif language == "bash":
            for line in body.strip().splitlines():
                words = [sys.executable, "-m", "bess_opt", *shlex.split(line)[1:]]
                done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
                assert done.returncode == 0, f"{line}: {done.stderr}"
        elif language == "python":
            exec(compile(body, page, "exec"), names)  # our own documents
    return names


def test_recipe_for_a_strategy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The optimum of the new strategy is no worse than its rule, and is found by its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BESS_OPT_STRATEGIES", os.environ.get("BESS_OPT_STRATEGIES", ""))
    names = follow("add_a_strategy.md", tmp_path)
    scores = names["ladder"].table["score"].droplevel("strategy")  # type: ignore[attr-defined]
    assert scores["optimal"] <= scores["rule"] < scores["none"]
    assert "keep_soc = 0.0" in str(names["bo"].strategies().loc["least_import", "options"])  # type: ignore[attr-defined]


@pytest.mark.slow
def test_recipe_for_a_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it writes is what the tests of scenarios want: the files, and figures that hold."""
    monkeypatch.chdir(tmp_path)
    names = follow("add_a_scenario.md", tmp_path)
    folder = tmp_path / "night_storage"
    for name in ("scenario.toml", "series.csv", "README.md", "expected.toml"):
        assert (folder / name).is_file()
    expected = tomllib.loads((folder / "expected.toml").read_text("utf-8"))
    assert expected["series"]["steps"] == 167
    assert {"net_revenue", "score", "equivalent_full_cycles"} <= expected["metrics"].keys()
    plan = names["plan"]
    assert plan.metrics.score == pytest.approx(expected["metrics"]["score"]["value"], rel=1e-6)  # type: ignore[attr-defined]
    assert plan.metrics.net_revenue > 0.0  # type: ignore[attr-defined]
