"""Notebooks as pages: executed from a fresh kernel, with what their cells put out.

What has been executed is kept in `build/made` under a key of everything that it was made from.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MADE = ROOT / "build" / "made"
LIMIT_S = 300  # of a cell: a guard against one that hangs


def notebooks() -> list[Path]:
    """The notebooks, in their order."""
    return sorted((ROOT / "notebooks").glob("*.ipynb"))


def title_of(file: Path) -> str:
    """The first heading of a notebook."""
    first = "".join(json.loads(file.read_text("utf-8"))["cells"][0]["source"])
    return next((line.lstrip("# ") for line in first.splitlines() if line.startswith("#")), file.stem)


def key_of(*files: Path) -> str:
    """What a notebook or picture is made from: the package, the scenarios, all versions, and the files given."""
    digest = hashlib.sha256()
    sources = [*ROOT.glob("bess_opt/**/*.py"), *ROOT.glob("bess_opt/**/*.toml"), *ROOT.glob("bess_opt/**/*.[ch]")]
    for file in sorted([*sources, *ROOT.glob("scenarios/**/*.[ct]*"), *HERE.glob("*.py"), *files]):
        digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    versions = sorted(f"{found.metadata['Name']} {found.version}" for found in distributions())
    return digest.hexdigest()[:16] + hashlib.sha256("\n".join([sys.version, *versions]).encode()).hexdigest()[:8]


def executed(file: Path, key: str) -> str:
    """A notebook with its outputs, as JSON; executed from a fresh kernel unless this has been done before."""
    kept = MADE / f"{file.stem}_{key}.ipynb"
    if not kept.is_file():
        import nbformat
        from nbclient import NotebookClient

        os.environ["PYTHONPATH"] = str(ROOT)
        notebook = nbformat.read(file, as_version=4)
        place = {"metadata": {"path": str(file.parent)}}
        quiet = ["--log-level=ERROR"]
        NotebookClient(notebook, timeout=LIMIT_S, resources=place, extra_arguments=quiet).execute()
        MADE.mkdir(parents=True, exist_ok=True)
        whole = kept.with_suffix(".new")
        nbformat.write(notebook, whole)
        whole.replace(kept)
    return kept.read_text("utf-8")


def page_of(file: Path, notebook: str) -> dict[str, str | bytes]:
    """The page of a notebook, and its pictures, by their names."""
    made: dict[str, str | bytes] = {}
    parts = []
    for place, one in enumerate(json.loads(notebook)["cells"]):
        source = "".join(one["source"])
        if one["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        for number, output in enumerate(one["outputs"]):
            parts.append(_shown(output, f"{file.stem}_{place}_{number}.png", made))
    parts.append(f"*This page is `notebooks/{file.name}`, executed when the site was built.*")
    made[f"{file.stem}.md"] = "\n\n".join(parts) + "\n"
    return made


def _shown(output: dict[str, Any], picture: str, made: dict[str, str | bytes]) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        made[picture] = base64.b64decode("".join(data["image/png"]))
        return f"![Picture drawn by the cell above]({picture})"
    if "text/html" in data:
        html = "\n".join(line for line in "".join(data["text/html"]).splitlines() if line.strip())
        return f'<div class="output">\n{html}\n</div>'
    text = "".join(output.get("text", data.get("text/plain", "")))
    return f"```text\n{text.rstrip()}\n```" if text.strip() else ""
