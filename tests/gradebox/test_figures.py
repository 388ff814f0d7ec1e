"""What graded cells say in lines: bounded pictures, and nothing of a line is left for a reader."""

from __future__ import annotations

import base64
import io
import json

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_output
from PIL import Image, PngImagePlugin

from gradebox.feedback import messages
from gradebox.figures import (
    FIGURES_PREFIX,
    MAX_LABEL,
    MAX_LINES,
    MAX_PICTURE_BYTES,
    MAX_PICTURES,
    MAX_SIDE,
    PICTURE_PREFIX,
    PREDICTION_PREFIX,
    Prediction,
    pictures,
    predictions,
    said,
    without_lines,
)

from .book_support import gain


def png(pixels: np.ndarray, **options: object) -> bytes:
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG", **options)
    return written.getvalue()


def line(content: bytes | str, **changes: object) -> str:
    text = content if isinstance(content, str) else base64.b64encode(content).decode()
    return f"{PICTURE_PREFIX} {json.dumps({'label': 'what it does', 'alt': 'a row', 'png': text, **changes})}\n"


DOTS = np.arange(200, dtype=np.uint8).reshape(10, 20)
NOISE = np.random.default_rng(0).integers(0, 256, (400, 400), dtype=np.uint8)


def test_a_picture_keeps_its_pixels_and_its_words():
    [picture] = pictures(f"training\n{line(png(DOTS))}done")
    assert (picture.label, picture.alt, picture.width, picture.height) == ("what it does", "a row", 20, 10)
    assert (np.asarray(Image.open(io.BytesIO(picture.png))) == DOTS).all()
    assert base64.b64decode(picture.uri.removeprefix("data:image/png;base64,")) == picture.png


def test_nothing_but_pixels_comes_through():
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "48104, the reference")
    content = png(DOTS, pnginfo=text) + b"48104 after the end"
    assert b"48104" in content
    [picture] = pictures(line(content))
    assert b"48104" not in picture.png


@pytest.mark.parametrize(
    "bad",
    [
        line(png(NOISE)),
        line(png(np.zeros((2, MAX_SIDE + 1), np.uint8))),
        line(png(NOISE[:40, :40])[:300]),
        line(b"GIF89a" + bytes(20)),
        line("no base64!"),
        line("A" * (2 * MAX_PICTURE_BYTES)),
        line(png(DOTS), alt=""),
        line(png(DOTS), label=None),
        line(png(DOTS), png=["iVBORw0KGgo="]),
        f"{PICTURE_PREFIX} []",
        f"{PICTURE_PREFIX} " + "[" * 100_000,
        f" {line(png(DOTS))}",
    ],
    ids=lambda bad: bad[18:50],
)
def test_what_is_too_large_or_no_picture_is_passed_over(bad):
    assert len(list(pictures(f"{bad}\n{line(png(DOTS))}"))) == 1


GUESS = {"question": "shift or rotation", "answer": "rotation", "measured": "shift"}


@pytest.mark.parametrize("bad", [{**GUESS, "answer": ""}, {**GUESS, "measured": None}, {"question": "only"}, [], "x"])
def test_a_prediction_without_one_of_its_texts_is_passed_over(bad):
    text = f"{PREDICTION_PREFIX} {json.dumps(bad)}\n{PREDICTION_PREFIX} {json.dumps(GUESS)}\n"
    assert list(predictions(text)) == [Prediction(**GUESS)]


def test_a_prediction_is_short_and_a_cell_tells_a_bounded_number():
    long = f"{PREDICTION_PREFIX} {json.dumps({**GUESS, 'answer': 'a ' * 1000})}\n" * 50
    told = list(predictions(long))
    assert len(told) == MAX_LINES
    assert len(told[0].answer) <= MAX_LABEL


def test_a_cell_shows_a_bounded_number_of_pictures():
    assert len(list(pictures(line(png(DOTS)) * 50))) == MAX_PICTURES


@given(
    st.lists(
        st.sampled_from(
            ["plain", f"{FIGURES_PREFIX} {{", f"{PICTURE_PREFIX} x", f"{PREDICTION_PREFIX} {{}}", "  indented", ""]
        )
    )
)
def test_a_reader_gets_every_line_but_those_for_the_machine(lines):
    text = without_lines("".join(f"{each}\n" for each in lines))
    assert text.splitlines() == [each for each in lines if not each.startswith("gradebox.")]


def test_a_picture_is_among_what_feedback_lets_out_and_a_display_is_not():
    drawn = new_output("display_data", data={"image/png": base64.b64encode(png(DOTS)).decode()})
    printed = new_output("stream", name="stdout", text=line(png(DOTS)))
    [kept] = messages([drawn, printed], ["checks.verdict(measure.judge(recipe))"])
    assert len(list(pictures(kept.text))) == 1


def graded(*outputs: nbformat.NotebookNode, solution: bool = False) -> nbformat.NotebookNode:
    cell = new_code_cell("", outputs=list(outputs))
    cell.metadata["nbgrader"] = {"grade": True, "solution": solution, "grade_id": "x"}
    return cell


def test_a_line_that_came_in_two_pieces_is_whole_and_an_answer_measures_nothing():
    text = f"{FIGURES_PREFIX} {json.dumps(gain(4, 1))}\n"
    pieces = [new_output("stream", name="stdout", text=part) for part in (text[:30], text[30:])]
    assert [each.value for each in said([graded(*pieces)]).measured] == [4]
    assert said([graded(*pieces, solution=True)]).measured == ()


def test_the_names_of_early_ends_are_found_in_any_cell():
    ended = new_output("error", ename="KernelDied", evalue="", traceback=[])
    other = new_output("error", ename="ZeroDivisionError", evalue="", traceback=[])
    assert said([new_code_cell("", outputs=[other, ended])]).endings == ("KernelDied",)
