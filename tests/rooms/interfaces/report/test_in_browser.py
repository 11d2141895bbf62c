"""The page in a real browser: its words are there, and at phone width nothing sticks out."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from test_report import made

import bess_opt as bo

pytestmark = pytest.mark.browser
NAMES = ("chromium", "chromium-browser", "google-chrome")
PROBE = """
<script>
const box = document.documentElement;
const wide = [...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll, .picture")
  && e.getBoundingClientRect().right > box.clientWidth + 1).length;
const shown = [...document.querySelectorAll("svg")].filter(e => e.getBoundingClientRect().height > 50).length;
document.body.dataset.seen = [box.clientWidth, box.scrollWidth, wide, shown].join(" ");
</script>
"""


@pytest.fixture(scope="module")
def browser() -> str:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("there is no Chromium; apt-get install chromium")
    return found


@pytest.fixture(scope="module")
def report() -> str:
    return bo.report(made(name="browser"))


def run(browser: str, folder: Path, *options: str) -> str:
    words = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={folder / 'profile'}",
        *options,
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_its_width(browser: str, report: str, tmp_path: Path, width: int) -> None:
    """In a frame of the phone's width: no sideways scrolling of the page, no part beyond its edge, all pictures."""
    inner = tmp_path / "report.html"
    inner.write_text(report.replace("</body>", PROBE + "</body>"), encoding="utf-8")
    outer = tmp_path / "frame.html"
    relay = "document.body.dataset.seen = document.querySelector('iframe').contentDocument.body.dataset.seen"
    frame = f'<iframe src="report.html" style="width:{width}px;height:900px;border:0" onload="{relay}"></iframe>'
    outer.write_text(f"<body>{frame}</body>", encoding="utf-8")
    dom = run(
        browser,
        tmp_path,
        "--allow-file-access-from-files",
        "--window-size=1400,1000",
        "--dump-dom",
        f"file://{outer}",
    )
    seen = re.search(r'data-seen="(\d+) (\d+) (\d+) (\d+)"', dom)
    assert seen is not None, dom[:500]
    visible, needed, sticking_out, pictures = map(int, seen.groups())
    assert needed <= visible <= width
    assert (sticking_out, pictures) == (0, 9)


def test_it_prints(browser: str, report: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(report, encoding="utf-8")
    run(browser, tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'r.pdf'}", f"file://{file}")
    pdf = (tmp_path / "r.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 15
