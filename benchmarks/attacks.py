"""Grades the attack bank with stock nbgrader and with this project; writes the table of `docs/security.md`.

    make attacks

Both get the same submissions to the same tiny course, stock in a throw-away course of its own and only those that can
harm neither the machine nor its other processes. This project grades the whole bank in each of its ways: as root, as
an ordinary user, both in kernels of their own and in forked ones, and through the formgrader's button. It takes about
half an hour on two cores.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import monotonic

from tabulate import tabulate  # type: ignore[import-untyped]
from tests.attacks import course_bank
from tests.attacks.bank import ATTACKS, Attack
from tests.attacks.formgrader import press_autograde
from tests.attacks.grading import COLD, FEEDBACK, Graded, Outcome, grade
from tests.gradebox.sandbox_support import as_ordinary_user
from tests.gradebox.split_support import FULL_MARKS
from tests.lessons import course

from augcourse import data, samples

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- attacks: begin -->", "<!-- attacks: end -->"
NOT_RUN = "not run"
FEEDBACK_ATTACK = "reading the feedback page"
ROOT_WAY, ORDINARY_WAY, BUTTON_WAY = "as root", "as an ordinary user", "through the formgrader's button"
WARM = ", in kernels forked from a warm process"
Grade = Callable[[Sequence[Attack]], Graded]


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
    everywhere = not stock or attack.name == FEEDBACK_ATTACK
    shown = {name for name, place in outcome.leaks if everywhere or place != FEEDBACK}
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


def honest(graded: Sequence[Graded]) -> str:
    """What the honest submissions of every class got."""
    full = sum(FULL_MARKS.values())
    counts = [(sum(points == full for points in each.controls.values()), len(each.controls)) for each in graded]
    said = ", ".join(dict.fromkeys(f"{kept} of {handed_in} with full marks" for kept, handed_in in counts))
    return said if all(kept == handed_in for kept, handed_in in counts) else f"**{said}**"


def agreed(by_way: Mapping[str, str]) -> str:
    """One text for all ways if they agree; else each way's own, a broken one first and bold."""
    if len(set(by_way.values())) == 1:
        return next(iter(by_way.values()))
    broken = [f"**{way}: {text.replace('**', '')}**" for way, text in by_way.items() if "**" in text]
    return "; ".join([*broken, *(f"{way}: {text}" for way, text in by_way.items() if "**" not in text)])


def ways() -> tuple[dict[str, Grade], dict[str, str]]:
    """How this project can be made to grade here: (way → grader, way → why it cannot)."""
    button = {BUTTON_WAY: partial(grade, press=press_autograde)}
    warm = partial(grade, warm=True)
    if os.geteuid() != 0:
        why_not = {ROOT_WAY: "it was an ordinary user who ran the command"}
        return {ORDINARY_WAY: grade, ORDINARY_WAY + WARM: warm, **button}, why_not
    command = as_ordinary_user([sys.executable, "-c", "import nbgrader, gradebox"])
    try:
        subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, cwd="/")
    except (OSError, subprocess.SubprocessError) as error:
        why_not = {ORDINARY_WAY: f"root cannot become one here ({type(error).__name__})"}
        return {ROOT_WAY: grade, ROOT_WAY + WARM: warm, **button}, why_not
    as_ordinary = {ORDINARY_WAY: partial(grade, ordinary=True), ORDINARY_WAY + WARM: partial(warm, ordinary=True)}
    return {ROOT_WAY: grade, ROOT_WAY + WARM: warm, **as_ordinary, **button}, {}


def grade_bank(way: str, grade_class: Grade) -> list[Graded]:
    """The whole bank in one way, in two classes, one after the other: as one user they share what a user may have."""
    started, done = monotonic(), []
    for marks in (True, False):
        done.append(grade_class([attack for attack in ATTACKS if (attack.group == "marks") == marks]))
    print(f"{way}: {len(ATTACKS)} attacks in {monotonic() - started:.0f} s", flush=True)
    for attack in ATTACKS:
        outcome = next(graded.outcomes[attack.name] for graded in done if attack.name in graded.outcomes)
        if not verdict(attack, outcome, stock=False).startswith("held"):
            print(f"{way}: {attack.name}: {outcome}", flush=True)
    for graded in done:
        if graded.returncode or graded.changed or graded.survivors or COLD in graded.log:
            print(f"{way}: {graded.returncode}, {graded.changed}, {graded.survivors}\n{graded.log[-2000:]}", flush=True)
    return done


def course_results() -> dict[str, str]:
    """Name of each attack on the course's own hand-ins → what it came to."""
    for name in data.OFFLINE:  # attacks try to read the test split of each
        data.prepare(name)
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
            graded = course.grade(work, step, submissions, {"AUGCOURSE_DATASET": data.DEFAULT})
            for attack in chosen:
                points = graded[attack.notebook].points[attack.exercise]
                results[attack.name] = "held" if points == 0 else f"**{points:g} points**"
    return results


def rows(stock: Graded, ours: Mapping[str, Sequence[Graded]], of_course: Mapping[str, str]) -> list[list[str]]:
    """The table's rows, in the bank's order, the honest submissions last."""
    found = {
        way: {name: outcome for graded in classes for name, outcome in graded.outcomes.items()}
        for way, classes in ours.items()
    }
    lines = []
    for attack in ATTACKS:
        theirs = verdict(attack, stock.outcomes.get(attack.name), stock=True)
        by_way = {way: verdict(attack, outcomes[attack.name], stock=False) for way, outcomes in found.items()}
        lines.append([attack.name, attack.attacks, theirs, agreed(by_way)])
    lines += [[f"{a.name} ({a.step})", a.attacks, NOT_RUN, of_course[a.name]] for a in course_bank.ATTACKS]
    kept = agreed({way: honest(classes) for way, classes in ours.items()})
    return [*lines, ["*honest work before, between and after*", "nobody else is disturbed", honest([stock]), kept]]


def introduction(stock: Graded, ours: Mapping[str, Sequence[Graded]], not_run: Mapping[str, str]) -> str:
    """How many attacks ran in which way."""
    counts = {way: sum(len(graded.outcomes) for graded in classes) for way, classes in ours.items()}
    said = [f"{count} attacks {way}" for way, count in counts.items()]
    said += [f"none {way}, since {reason}" for way, reason in not_run.items()]
    return (
        f"In this run, this project graded {'; '.join(said)}. Of the same attacks, stock nbgrader graded "
        f"{len(stock.outcomes)}. The {len(course_bank.ATTACKS)} on the course's own hand-ins, named with their step, "
        "ran by `nbgrader autograde` as whoever ran the command. Where one verdict stands for this project, all ways "
        "agree."
    )


def main() -> None:
    """Grade, print and write the table."""
    safe = [attack for attack in ATTACKS if attack.safe_for_stock]
    possible, not_run = ways()
    with ThreadPoolExecutor(2) as pool:
        grading = {way: pool.submit(grade_bank, way, grade_class) for way, grade_class in possible.items()}
        stock = pool.submit(grade, safe, stock=True)
        of_course = pool.submit(course_results)
        ours = {way: each.result() for way, each in grading.items()}
        lines = rows(stock.result(), ours, of_course.result())
    headers = ["attack", "what it attacks", "stock nbgrader 0.9.6", "this project"]
    table = tabulate(lines, headers=headers, tablefmt="pipe")
    table = re.sub(r" {2,}", " ", re.sub(r"-{4,}", "---", table))
    text = f"{introduction(stock.result(), ours, not_run)}\n\n{table}"
    print(text)
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
