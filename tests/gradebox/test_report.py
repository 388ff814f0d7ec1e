"""The report: one file that loads nothing, harms nobody, names everybody once or nobody at all, and never stops."""

from __future__ import annotations

import html
import json
import math
import os
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_output

from gradebox import report
from gradebox.classroom import CourseError
from gradebox.feedback import messages
from gradebox.figures import FIGURES_PREFIX, MAX_NUMBER, measurements
from gradebox.marks import sentence
from gradebox.report import ReportError, item_statistics, make

from .book_support import CLOSE, STEPS, Hand, TinyCourse, gain

MARKUP = "<script>alert('x')</script><img src=x onerror=alert(1)>"
FORMULA = r"$\frac{1}{$ & ]]> \N"
ODD = (MARKUP, FORMULA, "ünï ☃ 𝔘", "line\nbreak", "n" * 100)
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="  # one black pixel
ROLES = ("careful", "hurried", "thorough", "close", "unlucky", "late")
LINKING = ("src", "href", "xlink:href", "srcset", "data", "action", "poster", "background")
GUESSES = ("shift", MARKUP, "rotation")  # the first two of one student each, the last of all others
VOID = ("meta", "link", "br", "wbr", "img", "hr", "input")


class Page(HTMLParser):
    """What a browser would find: elements, text, and rows of tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[tuple[str, str]] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.words.append((self.open[-1] if self.open else "", data))
        if "table" in self.open and {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def said(self, *inside: str) -> str:
        return " ".join(" ".join(text for tag, text in self.words if not inside or tag in inside).split())

    def class_rows(self) -> list[list[str]]:
        """The rows of the last table, each with the student's name first."""
        start = max(index for index, row in enumerate(self.rows) if row and row[0] == "Student")
        return self.rows[start + 1 :]

    def class_table(self) -> dict[str, list[str]]:
        """By student, the cells of the last table."""
        return {row[0]: row[1:] for row in self.class_rows()}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> TinyCourse:
    course = TinyCourse(tmp_path_factory.mktemp("report"))
    for place, student in enumerate((*ROLES[:3], *ODD)):
        course.add(student, "sums", Hand([place % 3, 1, None], manual={"explain": place / 4}))
        drawn = {"label": "what it does", "alt": f"Drawn of recipe {place}.", "png": DOT}
        guess = {"question": "shift or rotation", "answer": GUESSES[min(place, 2)], "measured": "shift"}
        hand = Hand([4, place % 4], figures=gain(place - 1.0, 1.2), picture=drawn, predictions=[guess])
        course.add(student, "recipes", hand)
    course.add("careful", "sums", Hand([2, 1, None], manual={"explain": 3}, seconds=None))
    course.add("close", "recipes", Hand([4, None], comment=sentence(CLOSE, "gain_test"), figures=gain(0.6, 0.8)))
    reason = "the worker died while it graded unlucky"
    course.add("unlucky", "recipes", Hand([None, None], status="grader failed", reason=reason))
    course.add("late", "sums", Hand([0, 0, None], hours_late=31, penalty=1, reason="KernelDied", ending="KernelDied"))
    (course.root / "submitted" / "waiting outside" / "sums").mkdir(parents=True)
    return course


@pytest.fixture(scope="module")
def page(course: TinyCourse) -> Page:
    return Page(make(course.root, [], course.root / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def hidden(course: TinyCourse) -> Page:
    return Page(make(course.root, [], course.root / "hidden.html", pseudonyms=True).read_text(encoding="utf-8"))


EVERYBODY = {*ROLES, *(" ".join(name.split()) for name in ODD), "waiting outside"}


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs(page):
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "image", "form", "base")
        assert not [name for name in attributes if name.startswith("on")]
        for name in LINKING:
            inside = ("#", "data:image/png;base64,") if tag == "img" else "#"
            assert (attributes.get(name) or "#").startswith(inside)
    assert not re.search(r"url\((?!['\"]?#)", page.text)
    assert "@import" not in page.text


def test_the_class_predictions_stand_beside_what_was_measured(page):
    others = len(ROLES[:3]) + len(ODD) - 2
    said = page.said("figcaption")
    assert f"Measured: shift. Predicted by {others + 2} students: rotation ({others}), " in said
    assert "shift (1)" in said


def test_with_pseudonyms_a_prediction_that_only_one_student_made_is_not_told(hidden):
    assert "others (2)" in hidden.said("figcaption")
    assert "shift (1)" not in hidden.said("figcaption")


def test_the_pictures_of_the_three_highest_values_are_shown_and_described(page, hidden):
    for each in (page, hidden):
        shown = [attributes["alt"] for tag, attributes in each.tags if tag == "img"]
        assert shown == [f"Drawn of recipe {place}." for place in (7, 6, 5)]


def test_a_name_with_markup_is_text(page):
    assert MARKUP in page.said("th")
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text


def test_every_student_has_one_row(page):
    shown = Counter(" ".join(row[0].split()) for row in page.class_rows())
    assert shown == Counter(dict.fromkeys(EVERYBODY, 1))


def test_with_pseudonyms_no_name_is_anywhere(hidden):
    names = [name for name in EVERYBODY if name not in ("late", "close", "waiting outside")]  # these are words, too
    text = " ".join(html.unescape(hidden.text).split())
    for name in (*names, "waiting outside", "alert"):
        assert name not in text
        assert name[:15] not in text
    assert len(hidden.class_rows()) == len(hidden.class_table()) == len(EVERYBODY)
    assert all(re.fullmatch(r"student [0-9a-f]{4,}", row[0]) for row in hidden.class_rows())


def test_pseudonyms_are_the_courses_own_and_stay(course, hidden, tmp_path):
    again = Page(make(course.root, ["sums"], tmp_path / "again.html", pseudonyms=True).read_text(encoding="utf-8"))
    assert set(again.class_table()) == set(hidden.class_table())
    other = TinyCourse(tmp_path / "other")
    for student in ROLES:
        other.enrol(student)
    theirs = Page(make(other.root, [], tmp_path / "theirs.html", pseudonyms=True).read_text(encoding="utf-8"))
    assert not set(theirs.class_table()) & set(hidden.class_table())
    key = course.root / ".gradebox" / "pseudonyms.key"
    assert key.stat().st_mode & 0o077 == 0


def test_pseudonyms_do_not_keep_the_order_of_names(hidden):
    assert list(hidden.class_table()) == sorted(hidden.class_table())


@pytest.mark.parametrize("pseudonyms", [False, True])
def test_a_folders_name_that_is_no_text_has_a_row(tmp_path, pseudonyms):
    course = TinyCourse(tmp_path / "course")
    os.makedirs(os.fsencode(str(course.root)) + b"/submitted/b\xffd/sums")
    page = Page(make(course.root, [], tmp_path / "page.html", pseudonyms).read_text(encoding="utf-8"))
    [(name, *cells)] = page.class_rows()
    assert re.fullmatch(r"student [0-9a-f]{4,}" if pseudonyms else r"b\\udcffd", name)
    assert cells == ["–not submitted", "–not graded yet"]


def test_two_students_never_share_a_pseudonym(tmp_path):
    names = [f"student{place}" for place in range(2000)]
    given = report._pseudonyms(tmp_path, names)
    assert len(set(given.values())) == len(names)


def test_each_figure_is_a_titled_and_described_image(page):
    drawings = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(drawings) == 5  # scores and exercises of two steps, and one measurement
    ids = {attributes["id"] for _, attributes in page.tags if attributes.get("id")}
    for attributes in drawings:
        assert attributes["role"] == "img"
        assert set(str(attributes["aria-labelledby"]).split()) <= ids
    titles = [text for tag, text in page.words if tag == "title"]
    assert all(title.strip() for title in titles)
    assert len(set(titles)) == len(titles) == 1 + len(drawings)


def test_every_id_is_there_once(page):
    found = Counter(attributes["id"] for _, attributes in page.tags if "id" in attributes)
    assert max(found.values()) == 1


def test_every_reference_inside_the_page_leads_somewhere(page):
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    targets = set(re.findall(r"(?:href=\"|url\()#([^\")]+)", page.text))
    assert targets <= ids


def test_the_colours_are_the_pages_so_that_dark_is_dark(page):
    assert "prefers-color-scheme: dark" in page.text
    used = set(re.findall(r"var\((--[a-z]+)\)", page.text))
    light, dark = page.text.split("prefers-color-scheme: dark")[:2]
    for name in used:
        assert f"{name}:" in light
        assert f"{name}:" in dark.split("}")[0]


def contrast(first: str, second: str) -> float:
    """The contrast ratio of WCAG 2.1."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, bright = sorted((luminance(first), luminance(second)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1])
def test_text_has_the_contrast_that_wcag_aa_asks_for(page, scheme):
    block = re.findall(r":root \{([^}]*)\}", page.text)[scheme]
    colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", block))
    for text, ground in (("ink", "paper"), ("quiet", "paper"), ("ink", "tint"), ("ink", "warn"), ("quiet", "warn")):
        assert contrast(colours[text], colours[ground]) >= 4.5
    assert contrast(colours["paper"], colours["fill"]) >= 4.5  # numbers inside bars
    assert contrast(colours["accent"], colours["paper"]) >= 3


@pytest.mark.parametrize(
    ("kind", "student", "detail"),
    [
        ("grader failed", "unlucky", "the worker died"),
        ("too close to call", "close", "+0.6 points"),
        ("ended early", "late", "KernelDied"),
        ("late", "late", "1 day 7 h; 1 point taken off"),
    ],
)
def test_what_needs_a_look_is_listed_with_its_reason(page, kind, student, detail):
    assert [row for row in page.rows if row[0] == kind and row[2] == student and detail in row[3]]


def test_no_reason_is_quoted_beside_a_pseudonym(hidden):
    assert "the worker died" not in hidden.text
    assert "grader failed" in hidden.text


def test_what_has_no_final_mark_is_no_number_alone(page):
    table = page.class_table()  # steps stand by name: recipes, sums
    assert table["unlucky"] == ["–grader failed", "–not submitted"]
    assert table["close"] == ["4+ 1 waiting", "–not submitted"]
    assert table["waiting outside"] == ["–not submitted", "–not graded yet"]
    assert table["careful"] == ["4", "6"]


def test_a_grader_that_failed_is_forgotten_once_nbgrader_itself_has_graded(tmp_path):
    course = TinyCourse(tmp_path / "course")
    course.add("regraded", "sums", Hand([2, 1, None], status="grader failed", reason="the worker died"))
    page = show(course, tmp_path, "sums")
    assert page.class_table() == {"regraded": ["3+ 1 waiting"]}
    assert "the worker died" not in page.said()


def test_the_measured_values_are_counted_against_their_reference(page):
    assert "Of 9 students, 5 are above the margin, 1 below, and 3 too close to call." in page.said("figcaption")


@pytest.mark.parametrize(
    "line",
    [
        "gradebox.figures: {",
        "gradebox.figures: []",
        'gradebox.figures: {"label": "gain", "value": 1, "low": 2, "high": 3}',
        'gradebox.figures: {"label": "gain", "value": NaN, "low": NaN, "high": NaN}',
        'gradebox.figures: {"label": "gain", "value": 1, "low": 0, "high": Infinity}',
        'gradebox.figures: {"label": "gain", "value": 1, "low": -1.7e308, "high": 1.7e308}',
        'gradebox.figures: {"label": "gain", "value": 1, "low": 0, "high": 2, "reference": -1.7e308}',
        'gradebox.figures: {"label": "", "value": 1, "low": 0, "high": 2}',
        'gradebox.figures: {"label": "gain", "value": "much", "low": 0, "high": 2}',
        'gradebox.figures: {"label": "gain", "value": 1, "low": 0, "high": 2, "reference": [1]}',
        "gradebox.figures: " + "[" * 100_000,
        '  gradebox.figures: {"label": "gain", "value": 1, "low": 0, "high": 2}',
    ],
)
def test_a_line_that_is_no_measurement_is_passed_over(line):
    good = 'gradebox.figures: {"label": "gain", "value": 1, "low": 0.5, "high": 2}'
    assert [each.value for each in measurements(f"before\n{line}\n{good}\nafter")] == [1]


def test_a_measurement_is_among_what_feedback_lets_out_of_a_trusted_kernel():
    line = f"{FIGURES_PREFIX} {json.dumps(gain(4.1, 1.9))}\n"
    kept = messages([new_output("stream", name="stdout", text=line)], ["checks.verdict(measure.judge(recipe))"])
    assert [each.value for output in kept for each in measurements(output.text)] == [4.1]


def test_an_exercise_that_orders_as_the_rest_discriminates_and_one_that_does_not_has_none():
    ability = np.arange(10.0)
    points = pd.DataFrame({"a": ability, "b": ability**2, "against": -ability, "same": np.ones(10)})
    found = item_statistics(points, [9, 81, 1, 2])
    assert found["discrimination"]["a"] > 0.9
    assert found["discrimination"]["against"] < -0.9
    assert math.isnan(found["discrimination"]["same"])
    assert found["difficulty"]["same"] == 0.5


def test_the_correlation_leaves_the_exercise_itself_out():
    rng = np.random.default_rng(0)
    noise = pd.DataFrame(rng.integers(0, 2, (400, 2)).astype(float))
    found = item_statistics(noise, [1, 1])["discrimination"]
    assert found.abs().max() < 0.15  # with itself in the sum, it would be about 0.7


def test_an_essay_that_hardly_anybody_has_read_hides_no_correlation():
    points = pd.DataFrame({"a": np.arange(6.0), "b": np.arange(6.0), "essay": [1.0] + [math.nan] * 5})
    found = item_statistics(points, [5, 5, 1])
    assert found["discrimination"]["a"] == pytest.approx(1)
    assert list(found["students"]) == [6, 6, 1]
    assert list(found["complete"]) == [6, 6, 6]


def show(course: TinyCourse, tmp_path: Path, *steps: str) -> Page:
    return Page(make(course.root, steps, tmp_path / "page.html").read_text(encoding="utf-8"))


def test_a_course_without_students_says_so(tmp_path):
    said = show(TinyCourse(tmp_path / "course"), tmp_path).said()
    assert "No submission has been graded." in said
    assert "no student" in said


def test_a_course_without_steps_says_so(tmp_path):
    assert "knows no step" in show(TinyCourse(tmp_path / "course", {}), tmp_path).said()


def test_one_student_has_a_page_and_no_discrimination(tmp_path):
    course = TinyCourse(tmp_path / "course")
    course.add("alone", "recipes", Hand([4, 1], figures=gain(2, 1)))
    page = show(course, tmp_path, "recipes")
    assert "No discrimination: fewer than three students, or all with the same score." in page.said()
    assert page.class_table() == {"alone": ["5"]}


def test_a_step_of_one_exercise_says_why_it_has_no_discrimination(tmp_path):
    course = TinyCourse(tmp_path / "course", {"single": {"only_test": 2}})
    for place, student in enumerate(ROLES):
        course.add(student, "single", Hand([place % 3]))
    assert "No discrimination: there is no other exercise." in show(course, tmp_path).said("figcaption")


def test_an_exercise_that_most_have_no_mark_for_is_neither_the_hardest_nor_a_bar(tmp_path):
    course = TinyCourse(tmp_path / "course")
    for place, student in enumerate(ROLES[:4]):
        course.add(student, "sums", Hand([2 if place else 1, 1, None], manual={} if place else {"explain": 1}))
    page = show(course, tmp_path, "sums")
    said = page.said("figcaption")
    assert "Fewest points: double, 88% on average." in said
    assert "explain (1 of 4 marked)" in said
    assert "88%" in page.said("text")
    assert "33%" not in page.said("text")


def test_the_caveat_counts_the_students_that_the_correlation_is_of(tmp_path):
    course = TinyCourse(tmp_path / "course")
    for place, student in enumerate(ROLES):
        course.add(student, "recipes", Hand([place % 4, place if place < 4 else None]))
    assert "With 4 students a discrimination is a hint" in show(course, tmp_path, "recipes").said("figcaption")


def test_measurements_that_share_no_axis_share_no_figure_and_a_student_counts_once(tmp_path):
    course = TinyCourse(tmp_path / "course")
    for student, unit, margin in (("careful", "points", 0.5), ("hurried", "points", 1.5), ("late", "digits", 0.5)):
        course.add(student, "recipes", Hand([4, 4], figures={**gain(2, 0.25, margin), "unit": unit}))
    twice = course.root / "autograded" / "careful" / "recipes" / "recipes.ipynb"
    notebook = nbformat.read(twice, 4)
    notebook.cells[0].outputs *= 2
    nbformat.write(notebook, twice)
    said = show(course, tmp_path, "recipes").said("figcaption")
    assert "Of 2 measurements of 1 student, 2 are above the margin" in said
    assert said.count("Of 1 student, 1 are above the margin") == 2


def test_the_largest_numbers_and_a_label_of_controls_are_drawn(tmp_path):
    course = TinyCourse(tmp_path / "course")
    wide = {"label": "a\0b", "value": 0, "low": -MAX_NUMBER, "high": MAX_NUMBER, "reference": 1}
    course.add("careful", "recipes", Hand([4, 4], figures=wide))
    assert r"a\x00b" in show(course, tmp_path, "recipes").said("text")


def test_a_name_keeps_its_joiners_in_a_figure(tmp_path):
    name = "می\u200cخواهم"
    course = TinyCourse(tmp_path / "course")
    course.add(name, "recipes", Hand([4, 4], figures=gain(2, 1)))
    assert name in show(course, tmp_path, "recipes").said("text")


def test_a_damaged_cell_stops_no_report_and_hides_no_measurement_of_the_others(tmp_path):
    course = TinyCourse(tmp_path / "course")
    unlabelled, odd, odder = {"metadata": {"nbgrader": None}}, {"cell_type": "raw", "outputs": [1]}, {"outputs": [1]}
    for student, changes in (("careful", unlabelled), ("hurried", odd), ("late", odder)):
        course.add(student, "recipes", Hand([4, 4], figures=gain(2, 1)))
        path = course.root / "autograded" / student / "recipes" / "recipes.ipynb"
        notebook = json.loads(path.read_text(encoding="utf-8"))
        notebook["cells"].append({**notebook["cells"][0], **changes})
        path.write_text(json.dumps(notebook), encoding="utf-8")
    said = show(course, tmp_path, "recipes").said()
    assert "Of 2 students, 2 are above the margin" in said
    assert "recipes: the autograded notebooks of 2 of 3 students" in said


def test_equal_scores_and_extra_credit_and_missing_notebooks_make_a_page(tmp_path):
    course = TinyCourse(tmp_path / "course")
    for student in ROLES:
        course.add(student, "recipes", Hand([4, 4], extra={"gain_test": 3}))
        (course.root / "autograded" / student / "recipes" / "recipes.ipynb").unlink()
    course.write_graded("careful", "recipes", Hand([]))
    (course.root / "autograded" / "hurried" / "recipes" / "recipes.ipynb").write_text("{")
    said = show(course, tmp_path, "recipes").said()
    assert "No discrimination" in said
    assert "recipes: the autograded notebooks of 5 of 6 students" in said


def test_an_unknown_step_is_named_with_the_known_ones(course, tmp_path):
    with pytest.raises(CourseError, match=f"no such step: smus; the gradebook knows {', '.join(sorted(STEPS))}"):
        make(course.root, ["smus"], tmp_path / "page.html")


def test_a_page_that_cannot_be_written_ends_in_one_line(course, tmp_path):
    with pytest.raises(ReportError, match="cannot be written"):
        make(course.root, ["sums"], tmp_path)
