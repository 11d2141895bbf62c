"""What the site takes from elsewhere when it is built: notebooks with outputs, the gallery, the root's pages.

A hook of mkdocs. Notebooks are executed and pictures drawn as the site is built, so none can be older than the code;
what has been made is kept in `build/made` under a key of everything that it was made from.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).resolve().parent))
import equations
import gallery
from notebook_pages import MADE, ROOT, executed, key_of, notebooks, page_of, title_of

UNSEARCHED = "---\nsearch:\n  exclude: true\n---\n"
REPOSITORY_PAGES = {"contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Blocks of the language `equation` are drawn as mathematics; notebooks get their places in the navigation."""
    fences = config.mdx_configs.setdefault("pymdownx.superfences", {}).setdefault("custom_fences", [])
    fences.append({"name": "equation", "class": "equation", "format": equations.fence})
    config.nav.insert(2, {"Notebooks": [{title_of(file): f"notebooks/{file.stem}.md"} for file in notebooks()]})
    return config


@event_priority(100)  # before the plugins that look at the list of files
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are made here."""
    for name, source in REPOSITORY_PAGES.items():
        text = (ROOT / source).read_text("utf-8").replace("](docs/", "](")
        files.append(File.generated(config, name, content=UNSEARCHED + text))  # answers nobody's question
    with ThreadPoolExecutor(2) as pool:  # a notebook runs in a process of its own
        work = {pool.submit(executed, file, key_of(file)): file for file in notebooks()}
        shown = gallery.draw(MADE / "gallery", key_of())
        for done, file in work.items():
            for name, content in page_of(file, done.result()).items():
                files.append(File.generated(config, f"notebooks/{name}", content=content))
    files.append(File.generated(config, "gallery.md", content=gallery.page(shown)))
    for name in shown:
        for theme in ("light", "dark"):
            file = MADE / "gallery" / f"{name}_{theme}.png"
            files.append(File.generated(config, f"gallery/{file.name}", content=file.read_bytes()))
    return files
