"""The site says what the course says, shows no answer to those who did not ask, and needs no other host."""

from __future__ import annotations

import inspect
import pkgutil
import re
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

from augcourse import results
from augcourse.build import STEPS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("site")]

ROOT = Path(__file__).parents[2]
# Elements and attributes by which a browser loads something without being asked.
LOADS = (("script", "src"), ("img", "src"), ("img", "srcset"), ("link", "href"), ("iframe", "src"), ("source", "src"))
NAMES_ONLY = {"canonical", "author", "license", "next", "prev", "index", "search", "genindex"}  # of <link rel=…>


def solution(step):
    return nbformat.read(ROOT / "solutions" / step / f"{step}.ipynb", as_version=4)


def graded(cell, what):
    return cell.metadata.get("nbgrader", {}).get(what)


def secret_lines(step):
    """Lines of answers and hidden tests, too long to be elsewhere by chance, as they stand on a page if they do."""
    release = nbformat.read(ROOT / "release" / step / f"{step}.ipynb", as_version=4)
    known = "".join(cell.source for cell in release.cells)
    for cell in solution(step).cells:
        for part in re.findall("BEGIN (?:SOLUTION|HIDDEN TESTS)(.*?)END (?:SOLUTION|HIDDEN TESTS)", cell.source, re.S):
            for line in map(str.strip, part.splitlines()):
                is_changed = cell.cell_type == "markdown" and re.search(r"[*_`'\"]", line)
                if len(line) > 30 and line not in known and not is_changed:
                    yield line


def test_it_is_built_without_a_warning_and_without_a_network(site):
    assert site.returncode == 0, site.output


def test_no_page_loads_anything_from_another_host(site):
    loaded = [
        (page.path.name, tag[attribute])
        for page in site.pages
        for name, attribute in LOADS
        for tag in page.html.find_all(name, attrs={attribute: True})
        if not NAMES_ONLY & set(tag.get("rel", ()))
    ]
    assert loaded
    assert [load for load in loaded if re.match(r"(https?:)?//", load[1])] == []


def test_no_style_and_no_script_loads_anything_from_another_host(site):
    files = [path for path in site.folder.rglob("*") if path.suffix in (".css", ".js")]
    texts = {path.name: path.read_text(encoding="utf-8") for path in files}
    texts |= {page.path.name: str(page.html.find_all(["style", "script"])) for page in site.pages}
    calls = r"""(?:url\(|@import|import\(|fetch\(|\.src\s*=)\s*["']?(?:https?:)?//[^\s"')]+"""
    assert {name: re.findall(calls, text) for name, text in texts.items() if re.search(calls, text)} == {}


def test_no_page_has_a_widget(site):
    for page in site.pages:
        assert not page.html.find("script", type=re.compile("widget"))


def targets(page):
    """(attribute's value, the file that it names, the place in it) of each link and picture within the site."""
    for tag in page.html.find_all(["a", "img", "link", "script"]):
        value = tag.get("href") or tag.get("src")
        parts = urlsplit(value or "")
        if value and not parts.scheme and not parts.netloc:
            file = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
            yield value, file, unquote(parts.fragment)


def test_every_link_and_picture_within_the_site_is_there(site):
    found = [(page.path.name, value, file) for page in site.pages for value, file, _ in targets(page)]
    assert found
    assert [(name, value) for name, value, file in found if not file.is_file()] == []


def test_every_link_to_a_place_on_a_page_finds_it(site):
    places = {page.path.resolve(): {tag["id"] for tag in page.html.find_all(id=True)} for page in site.pages}
    broken = [
        (page.path.name, value)
        for page in site.pages
        for value, file, place in targets(page)
        if place and file.resolve() in places and place not in places[file.resolve()]
    ]
    assert broken == []


def test_the_sample_report_opens_as_a_page(site):
    links = [tag["href"] for tag in site["instructor"].html.find_all("a", href=re.compile(r"report\.html"))]
    assert links == ["samples/report.html"]


def test_the_first_page_shows_the_result_and_three_doors(site):
    html = site["index"].html
    assert html.find("img", src=re.compile("ablation"))
    doors = html.find(id="three-doors").find_all("section")
    assert [door["id"] for door in doors] == ["student", "instructor", "self-study"]
    assert all(door.find("a", href=True) for door in doors)


@pytest.mark.parametrize("dataset", results.DATASETS)
def test_what_the_first_page_says_of_the_figure_is_in_the_figure(dataset):
    gains = results.gains("ablation", dataset)
    assert (gains["horizontal flip"] < 0).all()
    single = ("rotation ±15°", "horizontal flip", "brightness ±0.3", "saturation ±0.5", "shift ±10 %", "rotation ±180°")
    assert max(single, key=lambda name: gains[name].mean()) == "shift ±10 %"


@pytest.mark.parametrize("folder", ["lessons", "solutions"])
@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_there_with_all_its_text(site, folder, step):
    page = site[f"{folder}/{step}"]
    headings = [tag.get_text().removesuffix("¶") for tag in page.html.find_all(re.compile(r"h\d"))]
    for cell in solution(step).cells:
        if cell.cell_type == "markdown" and not graded(cell, "solution"):
            for heading in re.findall(r"^## (.+)$", cell.source, re.M):
                assert heading.replace("'", "’") in headings


@pytest.mark.parametrize("step", STEPS)
def test_a_lesson_shows_every_cell_that_students_write_in(site, step):
    release = nbformat.read(ROOT / "release" / step / f"{step}.ipynb", as_version=4)
    shown = site[f"lessons/{step}"].open_text
    for cell in release.cells:
        if graded(cell, "solution") and cell.cell_type == "code":
            assert cell.source.strip() in shown


@pytest.mark.parametrize("step", STEPS)
def test_a_lesson_holds_no_answer_and_no_hidden_test(site, step):
    text = site[f"lessons/{step}"].text
    assert [line for line in secret_lines(step) if line in text] == []


@pytest.mark.parametrize("step", STEPS)
def test_a_solution_holds_every_answer_and_hidden_test_and_shows_none_before_a_click(site, step):
    page, secret = site[f"solutions/{step}"], list(secret_lines(step))
    assert len(secret) > 10
    assert [line for line in secret if line in page.open_text] == []
    assert [line for line in secret if line not in page.text] == []


def test_nothing_that_is_folded_is_open_to_begin_with(site):
    folded = [tag for page in site.pages for tag in page.html.find_all("details")]
    assert folded
    assert [tag for tag in folded if tag.has_attr("open")] == []


@pytest.mark.parametrize("step", STEPS)
def test_a_solution_shows_its_figures(site, step):
    pictures = [
        output
        for cell in solution(step).cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    html = site[f"solutions/{step}"].html
    shown = [tag for tag in html.find("article").find_all("img") if not tag.find_parent("details")]
    assert len(shown) >= len(pictures) > 0


@pytest.mark.parametrize("folder", ["lessons", "solutions"])
def test_the_slider_stands_still(site, folder):
    cells = [tag for tag in site[f"{folder}/step3_augment"].html.select("div.cell") if "interact(" in tag.get_text()]
    assert [len(tag.find_all("img")) for tag in cells] == [1]


def test_every_picture_has_an_alt_text(site):
    pictures = [(page.path.name, tag) for page in site.pages for tag in page.html.find_all("img")]
    assert len(pictures) > 30
    assert [name for name, tag in pictures if len(tag.get("alt", "").split()) < 3] == []  # no file's name


def modules():
    for name in ("augcourse", "gradebox"):
        package = import_module(name)
        yield name
        yield from (found.name for found in pkgutil.walk_packages(package.__path__, f"{name}."))


@pytest.mark.parametrize("module", sorted(modules()))
def test_every_module_is_in_the_reference_with_its_public_names(site, module):
    pages = [page for page in site.pages if page.path.parent.name == "api"]
    places = {tag["id"] for page in pages for tag in page.html.find_all(id=True)}
    assert f"module-{module}" in places, f"{module} needs an automodule in one of the pages in docs/api"
    found = import_module(module)
    public = {name: getattr(found, name) for name in getattr(found, "__all__", ())}
    own = [name for name, value in public.items() if inspect.isclass(value) or inspect.isfunction(value)]
    assert [name for name in own if f"{public[name].__module__}.{name}" not in places] == []


def test_the_help_of_every_command_is_there(site):
    text = site["commands"].text
    for command in ("augcourse build", "augcourse data prepare", "gradebox grade", "gradebox check", "gradebox report"):
        assert f"$ {command}" in text


def test_names_in_the_text_lead_to_the_reference(site):
    links = {tag["href"] for tag in site["verdict"].html.find_all("a", href=True)}
    assert "api/measuring.html#augcourse.compare.verdict" in links
