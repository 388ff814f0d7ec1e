"""Sample feedback pages: what students of a small class read, as `docs/samples/` shows them.

python -m benchmarks.pages           # grade the class in build/pages, then write the pages
python -m benchmarks.pages --again   # write the pages of the class that is graded there
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import warnings
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import PyFileConfigLoader

from augcourse import data, demo
from augcourse.samples import CLASS, Edit, Student

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "pages"
SAMPLES = ROOT / "docs" / "samples"
AUGMENT, TRAIN, COMPARE = "step3_augment", "step4_train", "step5_compare"
PAGES = (("hurried", AUGMENT), ("careful", TRAIN), ("timid", TRAIN), ("careful", COMPARE))
ASKS_MORE = "Well argued, and with figures. Who loses by your recipe? Section 2 of your own notebook says it."


def _of_recipe(name: str, point: str, *edits: Edit) -> Student:
    return Student(name, point, {TRAIN: edits})


def _class() -> list[Student]:
    """Those of the sample class whom a page shows, and students with other recipes for step 4."""
    shown = {"careful": (TRAIN, COMPARE), "hurried": (AUGMENT, TRAIN), "inventive": (TRAIN,)}
    known = [
        Student(each.name, each.point, {step: each.work[step] for step in shown[each.name]})
        for each in CLASS
        if each.name in shown
    ]
    wide = _of_recipe("daring", "turns the dial further", ("rotate=(-12, 12)", "rotate=(-30, 30)"))
    timid = _of_recipe(
        "timid",
        "turns the dial down",
        ("        rotate=(-12, 12),\n", "        rotate=(-5, 5),\n"),
        ("        translate_percent=(-0.1, 0.1),\n", "        translate_percent=(-0.03, 0.03),\n"),
    )
    shifting = _of_recipe("shifting", "shifts, and nothing else", ("        rotate=(-12, 12),\n", ""))
    still = _of_recipe(
        "turning", "turns, and nothing else", ("        translate_percent=(-0.1, 0.1),\n", "        # no shift\n")
    )
    return [*known, wide, timid, shifting, still]


def _grade_by_hand() -> None:
    with Gradebook(f"sqlite:///{FOLDER / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade("conclusion", COMPARE, COMPARE, "careful")
        grade.manual_score, grade.needs_manual_grade = 3, False
        gradebook.find_comment("conclusion", COMPARE, COMPARE, "careful").manual_comment = ASKS_MORE
        gradebook.db.commit()


def main() -> None:
    """Grade the class unless it is graded, and write the pages."""
    os.environ["AUGCOURSE_DATASET"] = data.DEFAULT  # the data that everybody has
    if "--again" not in sys.argv:
        if demo.run(ROOT, FOLDER, _class(), (AUGMENT, TRAIN, COMPARE)):
            raise SystemExit("the grader failed; see above")
        _grade_by_hand()
    shutil.copy(ROOT / "nbgrader_config.py", FOLDER)
    with contextlib.chdir(FOLDER), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="nbgrader")
        api = NbGraderAPI(config=PyFileConfigLoader("nbgrader_config.py", path=str(FOLDER)).load_config())
        for student, step in PAGES:
            done = api.generate_feedback(step, student)
            if not done["success"]:
                raise SystemExit(f"{student}, {step}: {done.get('error') or done.get('log')}")
            page = FOLDER / "feedback" / student / step / f"{step}.html"
            target = SAMPLES / f"feedback_{student}_{step.split('_')[0]}.html"
            text = page.read_text(encoding="utf-8").replace(f"{ROOT}/", "")  # a warning names the file that it is from
            target.write_text(text, encoding="utf-8")
            print(f"{target.relative_to(ROOT)}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
