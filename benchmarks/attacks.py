"""Grades the attack bank with stock nbgrader and with this project; writes the table of `docs/security.md`.

    make attacks

Both get the same submissions to the same tiny course, stock in a throw-away course of its own and only those that can
harm neither the machine nor its other processes. It takes about six minutes on two cores.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tabulate import tabulate  # type: ignore[import-untyped]
from tests.attacks import course_bank
from tests.attacks.bank import ATTACKS, Attack
from tests.attacks.grading import FEEDBACK, Graded, Outcome, grade
from tests.gradebox.split_support import FULL_MARKS
from tests.lessons import course

from augcourse import data, samples

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- attacks: begin -->", "<!-- attacks: end -->"
NOT_RUN = "not run"


def verdict(attack: Attack, outcome: Outcome | None, *, stock: bool) -> str:
    """What an attack came to, in words; `held` if it came to nothing."""
    if outcome is None:
        return NOT_RUN
    full = sum(FULL_MARKS.values())
    points = outcome.points or 0.0
    said = []
    if points > 0:
        said.append("**full marks**" if points >= full else f"**{points:g} of {full:g} points**")
    # Every page that stock makes shows hidden tests: it is one row's result, not every row's.
    shown = {name for name, place in outcome.leaks if not (stock and place == FEEDBACK and attack.group == "marks")}
    if attack.group != "reach" and stock:
        shown = {name for name, place in outcome.leaks if place != FEEDBACK}
    said += [f"**reads {name}**" for name in sorted(shown)]
    said += ["**changes files outside**"] * bool(outcome.changed)
    said += ["**outlives its kernel**"] * bool(outcome.survivors)
    said += ["**reaches the network**"] * outcome.reached
    if outcome.endings is None:
        said.append("**no graded notebook**")
    elif not said:
        named = [name for name in outcome.endings if name == attack.ending]
        said.append(f"held ({named[0]})" if named else "held")
    return ", ".join(said)


def honest(graded: Graded) -> str:
    """What the honest submissions of a class got."""
    full = sum(FULL_MARKS.values())
    kept = sum(points == full for points in graded.controls.values())
    return f"{kept} of {len(graded.controls)} with full marks"


def course_results() -> dict[str, str]:
    """Name of each attack on the course's own hand-ins → what it came to."""
    data.prepare("uci_digits")
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for step in sorted({attack.step for attack in course_bank.ATTACKS}):
            chosen = [attack for attack in course_bank.ATTACKS if attack.step == step]
            submissions = {
                name: course_bank.attacked(samples.submission(ROOT, step), [a for a in chosen if a.notebook == name])
                for name in sorted({attack.notebook for attack in chosen})
            }
            work = Path(folder, step)
            work.mkdir()
            graded = course.grade(work, step, submissions, {"AUGCOURSE_DATASET": "uci_digits"})
            for attack in chosen:
                points = graded[attack.notebook].points[attack.exercise]
                results[attack.name] = "held" if points == 0 else f"**{points:g} points**"
    return results


def rows(stock: Graded, ours: Sequence[Graded], of_course: dict[str, str]) -> list[list[str]]:
    """The table's rows, in the bank's order, the honest submissions last."""
    found = {name: outcome for graded in ours for name, outcome in graded.outcomes.items()}
    lines = []
    for attack in ATTACKS:
        results = (
            verdict(attack, stock.outcomes.get(attack.name), stock=True),
            verdict(attack, found[attack.name], stock=False),
        )
        lines.append([attack.name, attack.attacks, *results])
    lines += [[f"{a.name} ({a.step})", a.attacks, NOT_RUN, of_course[a.name]] for a in course_bank.ATTACKS]
    theirs = "; ".join(dict.fromkeys(honest(graded) for graded in ours))
    return [*lines, ["*honest work before, between and after*", "nobody else is disturbed", honest(stock), theirs]]


def main() -> None:
    """Grade, print and write the table."""
    safe = [attack for attack in ATTACKS if attack.safe_for_stock]
    marks = [attack for attack in ATTACKS if attack.group == "marks"]
    outside = [attack for attack in ATTACKS if attack.group != "marks"]
    with ThreadPoolExecutor(2) as pool:
        stock = pool.submit(grade, safe, stock=True)
        ours = [pool.submit(grade, each) for each in (marks, outside)]
        of_course = pool.submit(course_results)
        lines = rows(stock.result(), [each.result() for each in ours], of_course.result())
    text = tabulate(
        lines, headers=["attack", "what it attacks", "stock nbgrader 0.9.6", "this project"], tablefmt="pipe"
    )
    text = re.sub(r" {2,}", " ", re.sub(r"-{4,}", "---", text))
    print(text)
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
