"""The feedback page: every point has its reason, figures stand beside a class without names, and nothing runs."""

from __future__ import annotations

import base64
import json
import re
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.apps import NbGraderAPI
from nbgrader.utils import notebook_hash
from pygments.formatters import HtmlFormatter
from traitlets.config import PyFileConfigLoader

from gradebox.feedback import MARKER
from gradebox.figures import FIGURES_PREFIX, PICTURE_PREFIX
from gradebox.page import STYLES

from .book_support import CLOSE, STEPS, Hand, TinyCourse, gain
from .conftest import label
from .test_figures import DOTS, png
from .test_harmless import HOSTILE, OUTPUTS
from .test_report import LINKING, Page, contrast

CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "tiny"
c.Exchange.root = "exchange"
c.GenerateFeedback.exporter_class = "gradebox.page.FeedbackExporter"
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "gradebox.feedback.HideHiddenTests",
    "gradebox.summary.Summarise",
    "gradebox.harmless.HarmlessOutputs",
]
c.Summarise.plain_errors = ["AssertionError", "CheckFailed"]
"""
CHECKED = (
    "the second epoch shows other pictures\n  expected: most of 48 pictures differ\n  look at:  what follows `map`?"
)
OTHERS = ("thorough", "daring", "timid", "motionless", "turning", "punctual")
SECRET = "### BEGIN HIDDEN TESTS\nreference = 48104 + probe\n### END HIDDEN TESTS"


def error(name: str, text: str) -> NotebookNode:
    return new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])


def figures(measured: Mapping[str, object], picture: bool = True) -> NotebookNode:
    text = f"{FIGURES_PREFIX} {json.dumps(measured)}\n"
    if picture:
        content = base64.b64encode(png(DOTS)).decode()
        shown = {"label": "what your recipe does", "alt": "Twenty dots, darker to the left.", "png": content}
        text += f"{PICTURE_PREFIX} {json.dumps(shown)}\n"
    return new_output("stream", name="stdout", text=f"training\n{text}")


def write(course: TinyCourse, student: str, step: str, cells: Sequence[NotebookNode]) -> None:
    folder = course.root / "autograded" / student / step
    folder.mkdir(parents=True, exist_ok=True)
    notebook = new_notebook(cells=list(cells), metadata={"kernelspec": {"name": "python3", "display_name": "Python"}})
    nbformat.write(notebook, folder / f"{step}.ipynb")
    (folder / "timestamp.txt").write_text("2026-02-28 10:00:00 UTC\n")
    (folder / "submission_secret.txt").write_text(f"secret of {student}")


def answer(text: str = "def double(x):\n    return x") -> NotebookNode:
    return label(new_code_cell(text), "answer", solution=True)


def exam_of(name: str, *outputs: NotebookNode) -> NotebookNode:
    return label(new_code_cell(f"print('shown')\n{SECRET}", outputs=list(outputs)), name, grade=True, locked=True)


def sums(*outputs: Sequence[NotebookNode], essay: str = "Because.") -> list[NotebookNode]:
    """The notebook of the step `sums`, with the outputs of its two tests."""
    double, triple = (*outputs, (), ())[:2]
    written = label(new_markdown_cell(essay), "explain", grade=True, solution=True)
    return [
        new_markdown_cell("# Sums"),
        answer(),
        exam_of("double_test", *double),
        exam_of("triple_test", *triple),
        written,
    ]


def recipes(*outputs: NotebookNode, name: str = "gain_test") -> list[NotebookNode]:
    return [new_markdown_cell("# Recipes"), answer(), exam_of("shift_test"), exam_of(name, *outputs)]


def generate(course: TinyCourse, student: str, step: str) -> Page:
    """The page that nbgrader makes, by its own command."""
    generate_all(course, step, student)
    return Page((course.root / "feedback" / student / step / f"{step}.html").read_text(encoding="utf-8"))


def generate_all(course: TinyCourse, step: str, student: str = "*") -> None:
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course.root)).load_config()
    config.CourseDirectory.root = str(course.root)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = NbGraderAPI(config=config).generate_feedback(step, student)
    assert done["success"], done


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> TinyCourse:
    course = TinyCourse(tmp_path_factory.mktemp("page"))
    (course.root / "nbgrader_config.py").write_text(CONFIG)
    course.enrol("careful", first_name="Ann", last_name="O'Neill & Söhne")
    course.add("careful", "sums", Hand([2, 1, None], manual={"explain": 3}))
    write(course, "careful", "sums", sums())
    course.add("hurried", "sums", Hand([0, 0.5, None], hours_late=31, penalty=0.25))
    write(
        course,
        "hurried",
        "sums",
        sums(
            [error("CheckFailed", CHECKED)], [new_output("stream", name="stdout", text="2 of 4 pictures are right\n")]
        ),
    )
    course.add("surprised", "sums", Hand([0, 0, None], manual={"double_test": 1, "explain": 1}, look_again=["explain"]))
    write(course, "surprised", "sums", sums([error("TypeError", "no int")], [error("NotRun", "an earlier cell ended")]))
    course.add("careful", "recipes", Hand([4, 4]))
    write(course, "careful", "recipes", recipes(figures(gain(8.25, 1.4))))
    course.add(
        "close",
        "recipes",
        Hand([4, None], comment=f"{CLOSE}. There is no automatic mark for `gain_test`: a person decides."),
    )
    write(course, "close", "recipes", recipes(figures(gain(0.6, 0.8)), error("TooCloseToCall", CLOSE.split("`")[1])))
    for place, student in enumerate(OTHERS):
        course.add(student, "recipes", Hand([4, 4]))
        write(course, student, "recipes", recipes(figures(gain(place + 0.125, 1))))
    return course


@pytest.fixture(scope="module")
def pages(course: TinyCourse) -> dict[tuple[str, str], Page]:
    wanted = (
        ("careful", "sums"),
        ("hurried", "sums"),
        ("surprised", "sums"),
        ("careful", "recipes"),
        ("close", "recipes"),
    )
    return {each: generate(course, *each) for each in wanted}


def rows(page: Page) -> dict[str, list[str]]:
    """By exercise: points and reason, as one line each."""
    return {row[0]: [" ".join(cell.split()) for cell in row[1:]] for row in page.rows if row[0] != "Exercise"}


def test_full_points_need_no_reason(pages):
    page = pages["careful", "sums"]
    assert "Score: 6 / 6" in page.said("h1")
    assert rows(page) == {
        "double": ["2 / 2", "✓ all points"],
        "triple": ["1 / 1", "✓ all points"],
        "explain": ["3 / 3", "✓ all points, graded by a person"],
    }


def test_a_lost_point_has_the_reason_that_its_test_gives_without_the_errors_name(pages):
    points, why = rows(pages["hurried", "sums"])["double"]
    assert points == "0 / 2"
    assert "the second epoch shows other pictures expected most of 48 pictures differ look at what follows map?" in why
    assert "CheckFailed" not in why


def test_a_part_of_the_points_has_its_reason_too(pages):
    assert rows(pages["hurried", "sums"])["triple"] == ["0.5 / 1", "◐ a part 2 of 4 pictures are right"]


def test_an_error_that_is_no_sentence_keeps_its_name(pages):
    found = rows(pages["surprised", "sums"])
    assert found["double"] == ["1 / 2", "◐ a part graded by a person; TypeError: no int"]
    assert found["triple"] == ["0 / 1", "✗ no points NotRun: an earlier cell ended"]


def test_what_waits_for_a_person_says_so_and_is_no_zero(pages):
    assert rows(pages["hurried", "sums"])["explain"] == ["– / 3", "… waits a person reads it"]
    assert "1 of 3 exercises waits for a person: up to 3 more points may come." in pages["hurried", "sums"].said("p")
    assert "a person, who looks again" in rows(pages["surprised", "sums"])["explain"][1]


def test_a_verdict_too_close_to_call_says_its_figures_once(pages):
    points, why = rows(pages["close", "recipes"])["gain"]
    assert points == "– / 4"
    assert why.count("+0.6 points, surely between -0.2 and +1.4") == 1


def test_a_late_penalty_is_said_and_counted(pages):
    said = pages["hurried", "sums"].said()
    assert "Score: 0.25 / 6" in said
    assert "0.25 points are taken off for handing in late" in said


def test_a_comment_stands_with_its_exercise_and_with_the_answer(course):
    course.add("talkative", "sums", Hand([2, 1, None], manual={"explain": 2}, comment="See `len`, *please*."))
    with course.gradebook() as gradebook:
        gradebook.find_comment("answer", "sums", "sums", "talkative").manual_comment = "See `len`, please."
        gradebook.db.commit()
    write(course, "talkative", "sums", sums())
    page = generate(course, "talkative", "sums")
    assert "Comment: See len, please." in rows(page)["double"][1]
    assert page.said().count("please") == 2


def test_the_name_and_the_time_of_handing_in_are_there(pages):
    assert "Ann O'Neill & Söhne (careful), handed in 1 March 2026, 12:00 UTC." in pages["careful", "sums"].said("p")


def test_an_early_end_has_its_name_and_meaning(course):
    course.add("crashing", "sums", Hand([0, 0, None], reason="KernelDied"))
    write(course, "crashing", "sums", [*sums(), new_code_cell("os._exit(1)", outputs=[error("KernelDied", "died")])])
    said = generate(course, "crashing", "sums").said("p", "b")
    assert (
        "Your notebook ended early (KernelDied): the process that runs the cells ended while one of them ran." in said
    )


def test_every_exercise_leads_to_its_cell(pages):
    for page in pages.values():
        ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
        assert len(set(ids)) == len(ids)
        targets = [
            attributes["href"][1:]
            for tag, attributes in page.tags
            if tag == "a" and (attributes.get("href") or "").startswith("#")
        ]
        assert targets
        assert set(targets) <= set(ids)


def test_no_page_shows_a_line_for_the_machine(pages):
    for page in pages.values():
        assert FIGURES_PREFIX not in page.text
        assert PICTURE_PREFIX not in page.text
    assert "training" in pages["careful", "recipes"].said("pre")


def test_own_figures_are_drawn_and_said(pages):
    said = pages["careful", "recipes"].said("figcaption")
    assert "Yours: 8.2 points, between 6.8 and 9.7. The margin is 0.5: both limits are above it." in said
    assert "it lies between the limits" in pages["close", "recipes"].said("figcaption")
    drawings = [attributes for tag, attributes in pages["careful", "recipes"].tags if tag == "svg"]
    assert [attributes["role"] for attributes in drawings] == ["img"]


def test_the_picture_is_the_students_own_and_described(course, pages):
    [picture] = [attributes for tag, attributes in pages["careful", "recipes"].tags if tag == "img"]
    assert picture["alt"] == "Twenty dots, darker to the left."
    assert str(picture["src"]).startswith("data:image/png;base64,")
    assert not [tag for tag, _ in pages["careful", "sums"].tags if tag == "img"]


def dots(page: Page) -> int:
    """Markers in the figure: matplotlib draws each with one `use`."""
    return sum(tag == "use" for tag, _ in page.tags)


def test_the_others_are_dots_without_names(pages, course):
    page = pages["careful", "recipes"]
    assert "7 others" in page.said()
    assert "Of 7 others, who are dots without names here, half have 2.1 or more." in page.said("figcaption")
    for name in (*OTHERS, "hurried", "surprised"):
        assert name not in page.text


def test_a_small_class_shows_nobody_but_oneself(tmp_path):
    course = TinyCourse(tmp_path / "course")
    (course.root / "nbgrader_config.py").write_text(CONFIG)
    counts = []
    for place, student in enumerate(("careful", *OTHERS)):
        course.add(student, "recipes", Hand([4, 4]))
        write(course, student, "recipes", recipes(figures(gain(place + 0.125, 1))))
        page = generate(course, "careful", "recipes")
        counts.append(dots(page))
        assert ("others" in page.said("text")) == (place >= 5)
    assert counts[:5] == [counts[0]] * 5
    assert min(counts[5:]) > counts[4]


def test_another_measurement_and_an_answer_that_prints_one_are_not_among_the_others(tmp_path):
    course = TinyCourse(tmp_path / "course")
    (course.root / "nbgrader_config.py").write_text(CONFIG)
    other_margin = gain(3, 1) | {"reference": 1.0}
    for student in ("careful", *OTHERS):
        course.add(student, "recipes", Hand([4, 4]))
        cells = recipes(figures(gain(1, 1) if student == "careful" else other_margin))
        printing = answer()
        printing.outputs = [figures(gain(2, 1))]
        write(course, student, "recipes", [*cells, printing])
    assert "others" not in generate(course, "careful", "recipes").said("text")


def test_the_class_is_read_once_for_all_pages(course, monkeypatch):
    from gradebox import summary

    read: list[Path] = []
    real = summary.read_graded

    def counted(paths: Any) -> Any:
        listed = list(paths)
        read.extend(listed)
        return real(listed)

    monkeypatch.setattr(summary, "read_graded", counted)
    generate_all(course, "recipes")
    assert len(read) == len(set(read)) == 2 + len(OTHERS)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of a student who put markup wherever a student can."""
    course = TinyCourse(tmp_path_factory.mktemp("hostile"))
    (course.root / "nbgrader_config.py").write_text(CONFIG)
    course.enrol("odd", first_name=HOSTILE[0], last_name=HOSTILE[1])
    markup = "".join(HOSTILE[:12])
    course.add("odd", "sums", Hand([0, 0.5, None], comment=markup))
    cells = sums(
        [error("AssertionError", markup)],
        [new_output("stream", name="stdout", text=markup)],
        essay="\n\n".join(HOSTILE),
    )
    written = {"label": markup[:80], "alt": markup, "png": base64.b64encode(png(DOTS)).decode()}
    lines = f"{PICTURE_PREFIX} {json.dumps(written)}\n"
    lines += f"{FIGURES_PREFIX} {json.dumps(gain(1, 1) | {'label': markup, 'unit': markup})}\n"
    cells[2].outputs.insert(0, new_output("stream", name="stdout", text=lines))
    cells += [new_code_cell(markup, outputs=OUTPUTS), nbformat.v4.new_raw_cell(markup)]
    write(course, "odd", "sums", cells)
    return generate(course, "odd", "sums")


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs(hostile, pages):
    for page in (hostile, *pages.values()):
        for tag, attributes in page.tags:
            assert tag not in ("script", "link", "iframe", "object", "embed", "form", "base")
            assert not [name for name in attributes if name.startswith("on")]
            for name in LINKING:
                value = attributes.get(name) or "#"
                assert value.startswith(("#", "data:image/")) or (tag == "a" and value.startswith("http"))
        assert "@import" not in re.sub(r"<body.*", "", page.text, flags=re.S)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="the package 'chromium' is not installed")
@pytest.mark.parametrize("width", [1400, 400])
def test_a_browser_runs_nothing_loads_nothing_and_needs_no_sideways_scrolling(hostile, tmp_path, width):
    from playwright.sync_api import sync_playwright

    path = tmp_path / "page.html"
    path.write_text(hostile.text, encoding="utf-8")
    asked: list[str] = []
    dialogs: list[str] = []
    said: list[str] = []

    def dismiss(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", dismiss)
        page.on("console", lambda message: said.append(message.text))
        page.goto(path.as_uri())
        page.wait_for_timeout(300)
        wide = page.evaluate("document.documentElement.scrollWidth")
        visible = page.locator("h1").is_visible()
        browser.close()
    assert not dialogs
    assert not said
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
    assert wide <= width
    assert visible


def test_markup_of_a_student_is_text_on_the_page(hostile):
    assert HOSTILE[0] in hostile.said("pre", "span", "div", "p", "h3", "figcaption")
    assert "<script" not in hostile.text
    assert not [
        attributes for _, attributes in hostile.tags if attributes.get("id") == "points" and "class" in attributes
    ]


def test_the_browser_is_told_to_run_and_to_load_nothing(hostile):
    [policy] = [
        a["content"] for tag, a in hostile.tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert "default-src 'none'" in str(policy)
    assert "script-src" not in str(policy)


def test_no_line_of_a_hidden_test_is_shown(pages, hostile):
    for page in (hostile, *pages.values()):
        assert "48104" not in page.text
        assert MARKER in page.said()


@pytest.mark.parametrize(("scheme", "block"), [("light", 0), ("dark", 1)])
def test_text_and_code_have_the_contrast_that_wcag_aa_asks_for(pages, scheme, block):
    colours = dict(
        re.findall(
            r"--([a-z]+): (#[0-9a-f]{6})", re.findall(r":root \{([^}]*)\}", pages["careful", "sums"].text)[block]
        )
    )
    for text, ground in (
        ("ink", "paper"),
        ("ink", "warn"),
        ("quiet", "paper"),
        ("quiet", "warn"),
        ("fill", "paper"),
        ("fill", "warn"),
        ("accent", "paper"),
    ):
        assert contrast(colours[text], colours[ground]) >= 4.5
    style = HtmlFormatter(style=STYLES[scheme]).style
    used = {
        each["color"]
        for token, each in style
        if each["color"] and not str(token).startswith(("Token.Generic", "Token.Text.Whitespace"))
    }
    for colour in used:
        assert contrast(f"#{colour}", colours["tint"]) >= 4.5


def test_nbgraders_release_gives_each_student_their_own_page(course, pages):
    (course.root / "exchange").mkdir(mode=0o777)
    (course.root / "exchange").chmod(0o777)
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course.root)).load_config()
    config.CourseDirectory.root = str(course.root)
    config.Exchange.root = str(course.root / "exchange")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = NbGraderAPI(config=config).release_feedback("sums")
    assert done["success"], done
    for student in ("careful", "hurried"):
        name = f"{notebook_hash(secret=f'secret of {student}', notebook_id='sums')}.html"
        released = course.root / "exchange" / "tiny" / "feedback" / name
        assert released.read_text(encoding="utf-8") == pages[student, "sums"].text


def test_a_step_of_two_notebooks_has_the_exercises_of_each_on_its_own_page(tmp_path):
    course = TinyCourse(tmp_path / "course", {"sums": STEPS["sums"]})
    (course.root / "nbgrader_config.py").write_text(CONFIG)
    with course.gradebook() as gradebook:
        gradebook.update_or_create_notebook("second", "sums")
        gradebook.add_grade_cell("more_test", "second", "sums", max_score=7, cell_type="code")
    course.add("careful", "sums", Hand([2, 1, 3]))
    write(course, "careful", "sums", sums())
    second = new_notebook(cells=[exam_of("more_test", error("AssertionError", "too few"))])
    second.metadata["kernelspec"] = {"name": "python3", "display_name": "Python"}
    nbformat.write(second, course.root / "autograded" / "careful" / "sums" / "second.ipynb")
    generate(course, "careful", "sums")
    page = Page((course.root / "feedback" / "careful" / "sums" / "second.html").read_text(encoding="utf-8"))
    assert list(rows(page)) == ["more"]
