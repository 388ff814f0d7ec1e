"""The sample pages in the documentation, as a reader's browser shows them, on a desk and on a telephone."""

from __future__ import annotations

from pathlib import Path

import pytest

from .lab import CHROMIUM, NARROW, ROOT, SCREENSHOTS, WIDE, open_page
from .pages import Looked, look

SAMPLES = sorted((ROOT / "docs" / "samples").glob("*.html"))

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("samples")]

GOOD = "<p>Text</p><img alt='a digit' src='data:,'><svg role='img' aria-label='gain'><text y='9'>3</text></svg>"
BAD = {
    "<script>missing()</script>": "errors",
    "<script>console.error('no')</script>": "errors",
    "<img alt='elsewhere' src='http://192.0.2.1/digit.png'>": "errors",
    "<div style='width: 2000px'>wide</div>": "scrolls_sideways",
    "<img src='data:,'>": "unnamed_pictures",
    "<svg><rect/></svg>": "unnamed_pictures",
    "<p style='color: #888'>faint</p>": "faint_texts",
    "<p style='background: #111'>dark on dark</p>": "faint_texts",
    "<svg aria-label='bar'><rect width='50' height='20' fill='#036'/><text y='14'>60 %</text></svg>": "faint_texts",
}


@pytest.fixture(scope="module")
def looked(tmp_path_factory) -> dict[tuple[Path, int], Looked]:
    """(sample, width of the window in pixels) → what there is to complain about; all with one browser."""
    if CHROMIUM is None:
        pytest.skip("the package 'chromium' is not installed")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    found = {}
    with open_page(tmp_path_factory.mktemp("reader")) as page:
        for sample in SAMPLES:
            for width in (WIDE, NARROW):
                found[sample, width] = look(page, sample.as_uri(), width)
                page.screenshot(path=SCREENSHOTS / f"sample-{sample.stem}-{width}.png", full_page=True)
    return found


@pytest.fixture(scope="module")
def complaints(tmp_path_factory) -> dict[str, set[str]]:
    """The body of a small page → the names of what is complained about."""
    if CHROMIUM is None:
        pytest.skip("the package 'chromium' is not installed")
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    with open_page(folder) as page:
        for body in (GOOD, *BAD):
            (folder / "page.html").write_text(f"<!DOCTYPE html><title>A page</title>{body}")
            seen = vars(look(page, (folder / "page.html").as_uri(), NARROW))
            found[body] = {name for name, complaint in seen.items() if complaint}
    return found


def test_a_page_without_fault_is_not_complained_about(complaints):
    assert complaints[GOOD] == set()


@pytest.mark.parametrize(("body", "fault"), BAD.items())
def test_a_fault_is_found_and_nothing_else(complaints, body, fault):
    assert complaints[body] == {fault}


at_both_widths = pytest.mark.parametrize("width", [WIDE, NARROW])
of_every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)


def test_there_is_a_sample_report():
    assert "report" in [path.stem for path in SAMPLES]


@at_both_widths
@of_every_sample
def test_it_opens_without_errors_and_asks_no_other_machine(looked, sample, width):
    assert looked[sample, width].errors == []


@at_both_widths
@of_every_sample
def test_the_page_does_not_scroll_sideways(looked, sample, width):
    assert not looked[sample, width].scrolls_sideways


@at_both_widths
@of_every_sample
def test_every_picture_has_a_name(looked, sample, width):
    assert looked[sample, width].unnamed_pictures == []


@at_both_widths
@of_every_sample
def test_text_is_readable_in_light_and_in_dark(looked, sample, width):
    assert looked[sample, width].faint_texts == []
