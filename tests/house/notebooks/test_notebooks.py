"""Notebooks run from a fresh kernel, from top to bottom, and stand in the repository without their outputs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.places import ROOT

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
# Executed for the site too, and by the second tier.
QUICK = ("01_first_dispatch",)
LIMIT_S = 300  # of a cell: a guard against one that hangs, not a measure


def test_there_are_notebooks() -> None:
    numbers = [file.stem[:2] for file in NOTEBOOKS]
    assert numbers[:4] == ["01", "02", "03", "04"]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_outputs_are_stripped(file: Path) -> None:
    """No outputs, counts or traces of a machine: a change in a notebook is a change of its text."""
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.keys() == {"kernelspec", "language_info"}
    assert notebook.metadata.language_info.keys() == {"name"}
    for cell in notebook.cells:
        assert cell.metadata == {}
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None), cell.source[:60]
    assert notebook.cells[0].cell_type == "markdown"
    assert "?**" in notebook.cells[0].source, "it begins with its question"


@pytest.mark.parametrize(
    "file",
    [pytest.param(file, marks=[] if file.stem in QUICK else [pytest.mark.second_tier]) for file in NOTEBOOKS],
    ids=lambda file: file.stem,
)
@pytest.mark.filterwarnings("default")  # of the kernel's machinery; the notebook's own are in its outputs
def test_it_runs_from_a_fresh_kernel(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell ends without an error or a warning, and there is something to look at."""
    root = str(FOLDER.parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")])))
    monkeypatch.delenv("BESS_OPT_STRATEGIES", raising=False)
    notebook = nbformat.read(file, as_version=4)
    run = nbclient.NotebookClient(notebook, timeout=LIMIT_S, resources={"metadata": {"path": str(FOLDER)}})
    run.execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    complaints = [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    assert complaints == []
    kinds = {kind for output in outputs if "data" in output for kind in output.data}
    assert {"image/png", "text/html"} <= kinds
