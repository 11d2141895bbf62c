"""The house is as docs/design.md says: few entries, folders with a line each, files and functions that can be read."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from statistics import median

import pytest

import bess_opt

PACKAGE = Path(bess_opt.__file__).parent
ROOT = PACKAGE.parent
FOLDERS = sorted(p for p in PACKAGE.iterdir() if p.is_dir() and (p / "__init__.py").exists())
ALL_FOLDERS = sorted({p.parent for p in PACKAGE.rglob("*.py")})
FILES = sorted(PACKAGE.rglob("*.py"))
# What is still over the limit, with its size; nothing may be added, nothing may grow.
OVER: dict[str, int] = {}
# Words that have given way to others, and what is said today: in code, messages, tests and pages.
RETIRED = {
    r"\bclass (Bound|One|Stack)\b|\b(Bound|One|Stack)\(|\bdef bind\(|import bind\b": (
        "ActiveStrategy, SingleStrategy, StrategyStack, activate"
    ),
    r"\bbound: ActiveStrategy\b|\bbound = activate\(": "active",
    r"See `Bound`|\boptions bound\b": "ActiveStrategy",
    r"\bclass (Window|Cut)\b": "Segment, PlanningWindow, WindowEntries, ShownDays, Plane",
    r"\bexclusivity\b|\bexclusive_(program|cuts)\b|\bExclusiveSearch\b": "one way",
    r"(?i)\brule 10\b|\brule_10\b": "one-way rule",
    r"(?i)\b(run|runs|running) both ways\b|\b_?both_ways\b": "one way",
    r"(?i)\bcheat(s|ed|ing)?\b": "one way",
    r"(?i)\bburn(s|t|ing)?\b": "one way",
    r"\b(naming_relaxations|relaxations\(scenario)\b|(?i:\belastic\b)": "least_changes, easing",
    r"\bclass Certificate\b": "LinearCertificate, FarkasProof",
    r"\b(finance_types|reader_tariff|readers_tariff)\b": "inputs/finance, readers/",
    r"\b(beliefs|Beliefs)\b(?!_of_no_age)": "numbers_by_age",
    r"\b(_?carried_out|kept_solvers|KeptSolvers|scaffold|refusals)\b": "orders, reuse, new_scenario, stepper_limits",
    r"(?i)\b(\w+_)?crew\b": "workers",
    r"\bresting_instants\b|\bas seeding\b": "held_instants, warm_start",
    r"\bBound = tuple\b|\b(ac_bounds|_some_bound)\b|= _bound\(": "Edge",
    r"\b(seeding|resting)\.py\b": "warm_start",
    r"\b(optimum|exact|found)\.windows\b": "segments",
    r"\b(is_of_wear|is_flow)\b": "Meaning",
    r"\b(numbers|stated): Plant\b|\b(numbers|stated) = plant(_of)?\(|import plant$": "plant, stated_plant, plant_of",
}
KEPT = {"test_house.py", "CHANGELOG.md"}  # names the words, or tells of the past
TEXTS = [
    file
    for place in ("bess_opt", "tests", "benchmarks", "docs", "scenarios")
    for kind in ("*.py", "*.md")
    for file in sorted((ROOT / place).rglob(kind))
    if file.name not in KEPT
] + [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


def entries(folder: Path) -> list[str]:
    """What `ls` shows of a folder, without what Python leaves there."""
    return [p.name for p in folder.iterdir() if p.name != "__pycache__"]


def test_few_entries() -> None:
    assert len(entries(PACKAGE)) <= 15, entries(PACKAGE)


@pytest.mark.parametrize(
    "folder", [f for f in ALL_FOLDERS if f != PACKAGE], ids=lambda f: str(f.relative_to(PACKAGE))
)
def test_few_entries_of_a_folder(folder: Path) -> None:
    most = OVER.get(folder.name, 20) + 1  # `__init__.py` beside them
    assert len(entries(folder)) <= most, entries(folder)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_design_says_what_a_folder_owns(folder: Path) -> None:
    """The line of the table is the first line of the folder's docstring."""
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    line = docstring.splitlines()[0].rstrip(".") if docstring else ""
    table = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    found = re.search(rf"^\| `{folder.name}/` \| (.*?) \|", table, re.MULTILINE)
    assert found, f"docs/design.md has no line for {folder.name}/"
    assert line
    assert found[1] == line


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_files_and_functions_can_be_read(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") <= OVER.get(file.name, 400)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= OVER.get(node.name, 60), f"{node.name} has {length} lines"


def test_files_are_neither_crumbs_nor_slabs() -> None:
    assert 80 <= median(f.read_text(encoding="utf-8").count("\n") for f in FILES) <= 250


@pytest.mark.parametrize("word", RETIRED)
def test_no_retired_word(word: str) -> None:
    """The codes of findings and columns of results that users read keep their names, in quotation marks."""
    pattern = re.compile(word, re.MULTILINE)
    for file in TEXTS:
        found = pattern.search(file.read_text(encoding="utf-8"))
        assert not found, f"{file.relative_to(ROOT)}: {found and found[0]!r} is retired; say {RETIRED[word]}"


def test_a_retired_word_is_seen() -> None:
    """The patterns find what they are for."""
    said = ("class Stack:", "rule 10", "runs both ways", "it cheats", "energy is burnt", "numbers = plant(scenario)")
    for text in (*said, "self._both_ways(x)", "class Crew:", "self._carried_out(made)", "KeptSolvers(options)"):
        assert any(re.search(word, text, re.MULTILINE) for word in RETIRED), text


def headwords() -> list[str]:
    """The words that the glossary explains, in its order."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    return re.findall(r"^\| (.+?) \| ", text, re.MULTILINE)[1:]


def test_no_headword_of_the_glossary_is_retired() -> None:
    for headword, pattern in itertools.product(headwords(), RETIRED):
        assert not re.search(pattern, headword), f"{headword!r} is retired; say {RETIRED[pattern]}"


def test_a_retired_word_names_one_that_is_in_use() -> None:
    """A word of the glossary, a name in the package, or a file or folder of it."""
    code = "\n".join(file.read_text(encoding="utf-8") for file in sorted(PACKAGE.rglob("*.py")))
    paths = {str(path.relative_to(PACKAGE).with_suffix("")) for path in PACKAGE.rglob("*")}
    for pattern, present in RETIRED.items():
        assert present, pattern
        for word in present.split(", "):
            file = word.strip("/")
            known = word in headwords() or any(path == file or path.endswith(f"/{file}") for path in paths)
            assert known or re.search(rf"\b{word}\b", code), f"{word!r} instead of {pattern} is not in use"


def test_glossary_is_in_order_and_each_word_stands_once() -> None:
    assert headwords() == sorted(set(headwords()))


@pytest.mark.slow
def test_contributing_examples_run(tmp_path: Path) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 6
    for block in blocks:
        done = subprocess.run(
            [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_version_is_that_of_the_package() -> None:
    assert bess_opt.__version__ == version("bess-opt")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {bess_opt.__version__}\n" in citation


def test_import_is_light() -> None:
    code = "import sys, bess_opt; sys.exit(any(m in sys.modules for m in ('numpy', 'pandas', 'pyomo', 'highspy', 'matplotlib')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_plan_without_peaks_loads_a_part_of_scipy() -> None:
    code = """
import sys
from bess_opt.solver.value_function import engine
sys.exit(any(m in sys.modules for m in ("scipy.optimize", "scipy.linalg", "scipy.sparse.linalg")))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_mutants_name_what_is_there() -> None:
    """The run of mutants knows modules and tests by their paths, and nobody else runs it."""
    text = (ROOT / "tests" / "house" / "mutation" / "run.py").read_text(encoding="utf-8")
    modules = re.findall(r'^    "([\w.]+)": ', text, re.MULTILINE)
    assert len(modules) > 10
    assert all((PACKAGE / f"{name.replace('.', '/')}.py").is_file() for name in modules)
    assert all((ROOT / file).is_file() for file in re.findall(r'"(tests/[\w/]+\.py)"', text))
