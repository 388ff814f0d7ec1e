"""Sample students: submissions made from the instructor's solutions by editing their text.

Nothing is kept by hand: a submission is the release notebook with the solution cells of the edited lesson
put in, so that a change of a lesson reaches every sample, and an edit that no longer fits is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from augcourse import build
from augcourse.errors import BuildError

__all__ = ["CLASS", "Edit", "Student", "edited", "submission"]

Edit = tuple[str, str]
"""(old, new): `old` occurs exactly once in the lesson, inside a solution."""


@dataclass(frozen=True)
class Student:
    """A sample student, named by role.

    Attributes:
        point: what this student is there to show.
        work: step → edits on the solutions; only these steps are handed in.
        untouched: hand in the release as it is.
        lost: steps handed in without their notebook.
    """

    name: str
    point: str
    work: dict[str, tuple[Edit, ...]]
    untouched: bool = False
    lost: tuple[str, ...] = ()


def edited(text: str, edits: Sequence[Edit]) -> str:
    """The lesson's text after the edits.

    Raises:
        BuildError: an `old` does not occur exactly once.
    """
    for old, new in edits:
        if text.count(old) != 1:
            raise BuildError(f"an edit should fit exactly once, but fits {text.count(old)} times: {old!r}")
        text = text.replace(old, new)
    return text


def submission(root: Path, step: str, edits: Sequence[Edit] = ()) -> NotebookNode:
    """The notebook of a student who wrote the instructor's solutions, with these edits.

    Args:
        root: the repository, with `lessons/` and `release/`.
        step: the name of a step.
        edits: what this student wrote differently.
    """
    lesson = build.source_of(edited(build.lesson_path(root, step).read_text(encoding="utf-8"), edits))
    answers = {c["id"]: c.source for c in lesson.cells if c.metadata.get("nbgrader", {}).get("solution")}
    notebook = nbformat.read(build.notebook_path(root, "release", step), as_version=4)
    for cell in notebook.cells:
        if cell["id"] in answers:
            cell.source = _without_markers(answers[cell["id"]])
    return notebook


def _without_markers(source: str) -> str:
    lines = source.splitlines()
    return "\n".join(line for line in lines if "### BEGIN SOLUTION" not in line and "### END SOLUTION" not in line)


INVENTIVE: dict[str, tuple[Edit, ...]] = {
    "step1_explore": (
        (
            "    labels = [int(label) for _, label in dataset.as_numpy_iterator()]\n"
            "    return np.bincount(labels, minlength=10)\n",
            "    counts = np.zeros(10, int)\n"
            "    for _, label in dataset.as_numpy_iterator():\n"
            "        counts[label] += 1\n"
            "    return counts\n",
        ),
    ),
    "step2_baseline": (
        (
            "    return tf.cast(image, tf.float32) / 255.0, label\n    ### END",
            "    return tf.image.convert_image_dtype(image, tf.float32), label\n    ### END",
        ),
    ),
    "step3_augment": (
        (
            "A.Rotate(limit=(-max_degrees, max_degrees), border_mode=cv2.BORDER_CONSTANT, fill=0, p=1.0)",
            "A.Affine(rotate=(-max_degrees, max_degrees), p=1.0)",
        ),
    ),
    "step4_train": (
        (
            "    return A.Compose([warp])\n",
            "    bend = A.ElasticTransform(alpha=12, sigma=4, p=0.5)\n    return A.Compose([warp, bend])\n",
        ),
    ),
    "step5_compare": (
        (
            "    error = gains.std(ddof=1) / np.sqrt(len(gains))\n"
            "    reach = stats.t.ppf((1 + confidence) / 2, len(gains) - 1) * error\n"
            "    return gains.mean(), gains.mean() - reach, gains.mean() + reach\n",
            "    spread = stats.ttest_1samp(gains, 0).confidence_interval(confidence)\n"
            "    return gains.mean(), spread.low, spread.high\n",
        ),
    ),
}

HURRIED: dict[str, tuple[Edit, ...]] = {
    "step1_explore": (
        ("return np.bincount(labels, minlength=10)", "return np.bincount(labels)"),
        ('f"{path}.png"', 'f"{path}.jpg"'),
    ),
    "step2_baseline": (
        ("        epochs=settings.steps // settings.epoch_steps,\n", "        epochs=5,\n"),
        (
            "    return 100 * np.std(by_seed, ddof=1), 100 * np.std(by_draw, ddof=1)\n",
            "    return 100 * np.std(by_seed), 100 * np.std(by_draw)\n",
        ),
    ),
    "step3_augment": (
        ("if digit in (0, 1, 8) else []", "if True else []"),
        ('answers = {1: "c", 2: "a", 3: "d", 4: "b", 5: "d"}', 'answers = {1: "c", 2: "a", 3: "d", 4: "a", 5: "d"}'),
    ),
    "step4_train": (
        ("    return dataset.map(change)\n", "    return dataset.map(change).cache()\n"),
        ("        rotate=(-12, 12),\n", "        rotate=(-180, 180),\n"),
    ),
    "step5_compare": (
        ("    return digits[np.argsort(recall)]\n", "    return digits[np.argsort(-recall)]\n"),
        ("only_baseline + only_augmented, 0.5)", "len(correct_baseline), 0.5)"),
    ),
}

CRASHING: dict[str, tuple[Edit, ...]] = {
    "step2_baseline": (('    training = np.mean(history["accuracy"][-3:])\n', "    import os\n\n    os._exit(1)\n"),),
    "step4_train": (("    def percent(pictures, truth):\n", "    1 / 0\n\n    def percent(pictures, truth):\n"),),
}

CLASS: tuple[Student, ...] = (
    Student("careful", "answers as the instructor does", dict.fromkeys(build.STEPS, ())),
    Student("inventive", "answers well, in other ways", INVENTIVE),
    Student("hurried", "makes two typical mistakes in every step", HURRIED),
    Student("untouched", "hands the release in as it was", dict.fromkeys(build.STEPS, ()), untouched=True),
    Student("crashing", "kills the kernel in step 2, and stops half-way in step 4", CRASHING),
    Student(
        "forgetful",
        "hands in an empty notebook of another name for step 1",
        {"step3_augment": ()},
        lost=("step1_explore",),
    ),
)
"""The sample class of `make demo`."""
