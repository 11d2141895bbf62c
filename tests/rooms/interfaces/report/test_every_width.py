"""Reports of every scenario on a desk, a tablet, a phone and on paper, light and dark: all text can be read."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from support.places import ROOT

import bess_opt as bo

pytestmark = [pytest.mark.browser, pytest.mark.second_tier]
SCENARIOS = sorted(file.parent.name for file in (ROOT / "scenarios").glob("*/scenario.toml"))
LOOK = """
() => {
  const bad = [];
  const level = (c) => { const s = c / 255; return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; };
  const light = (c) => 0.2126 * level(c[0]) + 0.7152 * level(c[1]) + 0.0722 * level(c[2]);
  const parts = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const paper = (e) => { for (; e; e = e.parentElement) { const c = parts(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0.99) return c; } return parts(getComputedStyle(document.body).backgroundColor); };
  const shown = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const text = node.textContent.trim(), of = node.parentElement;
    if (!text || of.closest("svg, style, script, .picture")) continue;
    const range = document.createRange(); range.selectNodeContents(node);
    const boxes = [...range.getClientRects()].filter((b) => b.width > 0 && b.height > 0);
    if (!boxes.length) continue;
    const size = parseFloat(getComputedStyle(of).fontSize);
    const wide = Math.max(...boxes.map((b) => b.width));
    if (text.length > 6 && boxes.length > 3 && wide < 2.5 * size) bad.push("a letter wide: " + text.slice(0, 40));
    const inner = of.closest(".scroll");
    const edge = document.documentElement.clientWidth + 1;
    if (!inner && boxes.some((b) => b.right > edge || b.left < -1)) bad.push("beyond the edge: " + text.slice(0, 40));
    const a = light(parts(getComputedStyle(of).color)), b = light(paper(of));
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) bad.push("contrast " + contrast.toFixed(2) + ": " + text.slice(0, 40));
    if (!inner) boxes.forEach((box) => shown.push([box, text, of]));
  }
  shown.sort((x, y) => x[0].top - y[0].top);
  for (let i = 0; i < shown.length; i++) for (let j = i + 1; j < shown.length; j++) {
    const [one, first, p] = shown[i], [two, second, q] = shown[j];
    if (two.top > one.bottom - 3) break;
    if (p === q) continue;
    const over = Math.min(one.right, two.right) - Math.max(one.left, two.left);
    const deep = Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top);
    if (over > 2 && deep > 4) bad.push("overlap: " + first.slice(0, 30) + " / " + second.slice(0, 30));
  }
  return [...new Set(bad)].slice(0, 10);
}
"""


@pytest.fixture(scope="module")
def browser() -> Any:
    playwright = pytest.importorskip("playwright.sync_api")
    program = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
    )
    if not program:
        pytest.skip("there is no Chromium here")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.parametrize("name", SCENARIOS)
def test_all_text_can_be_read(browser: Any, name: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(bo.report(bo.load(ROOT / "scenarios" / name)), "utf-8")
    found = {}
    for width in (1280, 768, 360):
        for scheme, media in (("light", "screen"), ("dark", "screen"), ("light", "print")):
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page.emulate_media(media=media, color_scheme=scheme)
            page.goto(file.as_uri())
            found[width, scheme, media] = page.evaluate(LOOK)
            page.close()
    assert {key: bad for key, bad in found.items() if bad} == {}


def test_the_check_sees_what_is_wrong(browser: Any) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 600})
    page.set_content(
        "<body style='background:#fff'><p style='color:#bbb'>too pale to read</p>"
        "<p style='width:1ch;overflow-wrap:anywhere'>one letter a line</p><p style='width:800px'>far beyond the edge of "
        "the page that is shown here to a reader</p><div style='position:relative;height:2em'><b style='position:absolute'>"
        "one text</b><i style='position:absolute'>another</i></div></body>"
    )
    told = " ".join(page.evaluate(LOOK))
    assert all(word in told for word in ("contrast", "a letter wide", "beyond the edge", "overlap")), told
