"""Work that is handed in, on a machine that students share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.default import ExchangeSubmit
from traitlets.config import Config

from gradebox.exchange import ClosedSubmit


def hand_in(submit: type[ExchangeSubmit], folder: Path) -> Path:
    """Hand in a step as a student does; return its folder in the exchange."""
    released = folder / "exchange" / "course" / "outbound" / "sums"
    inbound = folder / "exchange" / "course" / "inbound"
    for path in (released, inbound):
        path.mkdir(parents=True)
    (folder / "exchange").chmod(0o777)
    inbound.chmod(0o2733)
    (released / "sums.ipynb").write_text("{}")
    shutil.copytree(released, folder / "sums")
    config = Config()
    config.CourseDirectory.update(root=str(folder), course_id="course", assignment_id="sums")
    config.Exchange.update(root=str(folder / "exchange"), cache=str(folder / "cache"), assignment_dir=str(folder))
    parts = {"coursedir": CourseDirectory(config=config), "authenticator": Authenticator(config=config)}
    submit(config=config, **parts).start()
    (handed_in,) = inbound.iterdir()
    return handed_in


@pytest.mark.parametrize(("submit", "others"), [(ClosedSubmit, 0), (ExchangeSubmit, 0o7)])
def test_what_is_handed_in_is_closed_to_other_students_unlike_nbgraders_own(submit, others, tmp_path):
    handed_in = hand_in(submit, tmp_path)
    assert handed_in.stat().st_mode & 0o007 == others
    assert (handed_in / "sums.ipynb").read_text() == "{}"


def test_the_courses_group_may_read_and_remove_what_is_handed_in(tmp_path):
    handed_in = hand_in(ClosedSubmit, tmp_path)
    assert handed_in.stat().st_mode & 0o070 == 0o070
    assert handed_in.stat().st_gid == handed_in.parent.stat().st_gid
