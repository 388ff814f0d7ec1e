"""How long a step takes a reader: its words, its exercises and its run time → minutes.

The core of a step is what stands before `Going further`. Words are those of its text, without model answers and without
the five questions, which count like one exercise.
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from augcourse import build

__all__ = ["MINUTES_AN_EXERCISE", "MOST_EXERCISES", "MOST_WORDS", "WORDS_A_MINUTE", "Core", "core", "run_time"]

WORDS_A_MINUTE = 150  # of a text with formulas and code beside it, read in a second language
MINUTES_AN_EXERCISE = 5
MOST_WORDS, MOST_EXERCISES = 1100, 6
FURTHER, QUESTIONS = "## Going further", "## Five questions"


@dataclass(frozen=True)
class Core:
    """What a step asks of a reader.

    Attributes:
        words: of the text of the core.
        exercises: with a mark, without the five questions.
        questions: whether five questions stand at the end.
    """

    words: int
    exercises: int
    questions: bool

    def minutes(self, run_s: float) -> int:
        """Minutes for reading, exercises and run time, rounded up to five."""
        tasks = self.exercises + self.questions
        return 5 * math.ceil((self.words / WORDS_A_MINUTE + MINUTES_AN_EXERCISE * tasks + run_s / 60) / 5)


def core(notebook: NotebookNode) -> Core:
    """Count the words and exercises of an instructor notebook's core."""
    words, exercises, questions, counted = 0, 0, False, True
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            if FURTHER in cell.source.splitlines():
                break
            if "answer" in cell.metadata.get("tags", []):
                continue
            for line in cell.source.splitlines():
                if line.startswith("## "):
                    counted = line != QUESTIONS
                if counted:
                    words += len(re.findall(r"\w[\w'’.,%±×-]*", re.sub(r"\]\([^)]*\)", "", line)))
        label = cell.metadata.get("nbgrader", {})
        if label.get("grade"):
            is_questions = label["grade_id"] == "questions_test"
            questions |= is_questions
            exercises += not is_questions
    return Core(words, exercises, questions)


def run_time(root: Path, step: str) -> float:
    """Seconds that the instructor notebook of a step takes from its first cell to its last, here and now."""
    notebook = build.source_of(build.lesson_path(root, step).read_text(encoding="utf-8"))
    start = time.perf_counter()
    build.execute(notebook)
    return time.perf_counter() - start
