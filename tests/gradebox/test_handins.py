"""What is copied of a folder that nobody trusts, and what is not."""

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradebox.handins import MAX_ENTRIES, Caps, Refusal, check_pattern, copy_files, copy_handins

from .sandbox_support import ORDINARY_UID

CAPS = Caps(file_bytes=1000, total_bytes=2500, files=4)
PATTERNS = ["handin/*.json", "handin/*.npz"]


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch" / "handin").mkdir(parents=True)
    return tmp_path / "scratch"


def collect(scratch: Path, caps: Caps = CAPS, patterns=PATTERNS) -> tuple[Path, list[str], list[Refusal]]:
    """Copy the hand-ins of a folder into a new one beside it."""
    target = scratch.parent / "trusted"
    target.mkdir(exist_ok=True)
    descriptor = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
    try:
        names, refusals = copy_handins(descriptor, patterns, target, caps)
    finally:
        os.close(descriptor)
    return target, names, refusals


def only(refusals: list[Refusal]) -> str:
    assert len(refusals) == 1
    return str(refusals[0].fault)


def test_a_plain_file_arrives_with_its_bytes(scratch):
    (scratch / "handin/a.json").write_bytes(b"\x00{}")
    target, names, refusals = collect(scratch)
    assert (names, refusals) == (["handin/a.json"], [])
    assert (target / "handin/a.json").read_bytes() == b"\x00{}"


def test_a_copy_carries_over_neither_time_nor_mode(scratch):
    (scratch / "handin/a.json").touch(mode=0o4777)
    os.utime(scratch / "handin/a.json", (0, 0))
    target, _, _ = collect(scratch)
    status = (target / "handin/a.json").stat()
    assert (status.st_mode & 0o7777, status.st_mtime > 0) == (0o444, True)


def test_other_names_stay_behind_in_silence(scratch):
    for name in ("handin/a.txt", "a.json", "handin.json"):
        (scratch / name).touch()
    (scratch / "handin/below").mkdir()
    (scratch / "handin/below/a.json").touch()
    assert collect(scratch)[1:] == ([], [])


def test_without_the_folder_nothing_was_handed_in(tmp_path):
    (tmp_path / "scratch").mkdir()
    assert collect(tmp_path / "scratch")[1:] == ([], [])


def test_a_symbolic_link_is_refused(scratch, tmp_path):
    (tmp_path / "secret").write_text("{}")
    (scratch / "handin/a.json").symlink_to(tmp_path / "secret")
    target, names, refusals = collect(scratch)
    assert only(refusals) == "handin/a.json was not taken: it is a symbolic link"
    assert not list(target.iterdir())
    assert names == []


def test_a_folder_that_is_a_link_is_refused(scratch, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a.json").touch()
    (scratch / "handin").rmdir()
    (scratch / "handin").symlink_to(tmp_path / "elsewhere")
    _, names, refusals = collect(scratch)
    assert names == []
    assert "handin was not taken: it is not a folder" in only(refusals)


def test_a_hard_link_is_refused(scratch, tmp_path):
    (tmp_path / "secret").write_text("{}")
    os.link(tmp_path / "secret", scratch / "handin/a.json")
    assert "hard link" in only(collect(scratch)[2])


@pytest.mark.timeout(20)
def test_a_pipe_is_refused_and_not_waited_for(scratch):
    os.mkfifo(scratch / "handin/a.json")
    assert "not a regular file" in only(collect(scratch)[2])


def test_a_socket_is_refused(scratch, monkeypatch):
    monkeypatch.chdir(scratch / "handin")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("a.json")
        assert "not a regular file" in only(collect(scratch)[2])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device nodes")
def test_a_device_is_refused(scratch):
    try:
        os.mknod(scratch / "handin/a.json", 0o600 | 0o020000, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("no CAP_MKNOD here")
    assert "not a regular file" in only(collect(scratch)[2])


def test_a_folder_with_a_files_name_is_refused(scratch):
    (scratch / "handin/a.json").mkdir()
    assert "not a regular file" in only(collect(scratch)[2])


def test_a_large_file_is_refused_unread_even_if_sparse(scratch):
    with (scratch / "handin/a.json").open("wb") as file:
        file.truncate(1 << 40)
    target, _, refusals = collect(scratch)
    assert "at most 1,000 are" in only(refusals)
    assert not list(target.iterdir())


def test_a_file_as_large_as_allowed_is_taken(scratch):
    (scratch / "handin/a.json").write_bytes(b"x" * CAPS.file_bytes)
    assert collect(scratch)[1] == ["handin/a.json"]


def test_a_file_that_grows_after_its_size_was_asked_is_cut_off(scratch):
    """/proc files have no size but have content, as a file that grows between the two has."""
    target = scratch.parent / "trusted"
    target.mkdir()
    descriptor = os.open("/proc/self", os.O_RDONLY | os.O_DIRECTORY)
    try:
        names, refusals = copy_handins(descriptor, ["maps"], target, Caps(100, 100, 10))
    finally:
        os.close(descriptor)
    assert names == []
    assert "more than 100 bytes" in only(refusals)
    assert not list(target.iterdir())


def test_the_sum_of_the_sizes_is_bounded(scratch):
    for name in "abc":
        (scratch / f"handin/{name}.json").write_bytes(b"x" * 1000)
    _, names, refusals = collect(scratch)
    assert names == ["handin/a.json", "handin/b.json"]
    assert "together" in only(refusals)


def test_the_number_of_files_is_bounded(scratch):
    for name in "abcde":
        (scratch / f"handin/{name}.json").touch()
    _, names, refusals = collect(scratch)
    assert (len(names), only(refusals)) == (4, "handin/e.json was not taken: at most 4 files are")


def test_a_folder_with_too_many_names_is_refused(scratch):
    for number in range(MAX_ENTRIES + 1):
        (scratch / f"handin/{number}").touch()
    assert f"more than {MAX_ENTRIES:,} files" in only(collect(scratch)[2])


@pytest.mark.parametrize("name", ["-rf.json", "a b.json", "a\n.json", "`a`.json", "é.json", ".json", b"\xff.json"])
def test_a_name_that_is_not_plain_is_refused_and_harmless_to_print(scratch, name):
    (scratch / "handin" / os.fsdecode(name)).touch()
    said = only(collect(scratch)[2])
    assert said.isascii()
    assert said.isprintable()
    assert "`" not in said


def test_no_pattern_lets_code_through(scratch):
    for name in ("numpy.py", "numpy.so", "x.pth", "sums.ipynb", "Numpy.PY"):
        (scratch / "handin" / name).touch()
    assert collect(scratch, patterns=["handin/*"])[1] == []


def test_a_hand_in_does_not_replace_a_file_of_the_course(scratch):
    (scratch / "handin/a.json").write_text("forged")
    target = scratch.parent / "trusted"
    (target / "handin").mkdir(parents=True)
    (target / "handin/a.json").write_text("the course's")
    _, _, refusals = collect(scratch)
    assert "a file of the course" in only(refusals)
    assert (target / "handin/a.json").read_text() == "the course's"


@pytest.fixture
def as_ordinary_user() -> Iterator[Path]:
    """A folder of an ordinary user, who we are meanwhile: root may read any file."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        was = os.geteuid()
        if was == 0:
            os.chown(folder, ORDINARY_UID, ORDINARY_UID)
            os.seteuid(ORDINARY_UID)
        try:
            yield Path(folder)
        finally:
            os.seteuid(was)


def test_an_unreadable_file_is_refused(as_ordinary_user):
    scratch = as_ordinary_user / "scratch"
    (scratch / "handin").mkdir(parents=True)
    (scratch / "handin/a.json").touch(mode=0)
    assert "cannot be read" in only(collect(scratch)[2])


@pytest.mark.parametrize("pattern", ["", "/etc/passwd", "../a", "handin/../a", "*/a", "handin//a", ".ssh/a", "a/"])
def test_a_pattern_stays_in_the_folder(pattern):
    with pytest.raises(ValueError, match="relative path"):
        check_pattern(pattern)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 1500)), max_size=8), st.integers(0, 3))
def test_never_more_is_copied_than_the_caps_allow(tmp_path_factory, files, most):
    scratch = tmp_path_factory.mktemp("caps") / "scratch"
    (scratch / "handin").mkdir(parents=True)
    for name, size in files:
        (scratch / f"handin/{name}.json").write_bytes(b"x" * size)
    caps = Caps(file_bytes=1000, total_bytes=2000, files=most)
    target, names, refusals = collect(scratch, caps)
    sizes = [path.stat().st_size for path in target.rglob("*.json")]
    assert len(sizes) == len(names) <= most
    assert sum(sizes) <= caps.total_bytes
    assert len(names) + len(refusals) == len({name for name, _ in files})


def test_files_handed_in_are_copied_without_links_and_what_is_ignored(tmp_path):
    source, target = tmp_path / "submitted", tmp_path / "scratch"
    (source / "data").mkdir(parents=True)
    (source / "handin").mkdir()
    target.mkdir()
    for name in ("data/mine.csv", "handin/old.json", "sums.ipynb", "notes.txt"):
        (source / name).write_text(name)
    (source / "link").symlink_to("/etc/passwd")
    (source / "linked").symlink_to("/etc")
    refusals = copy_files(source, target, ["handin", "*.ipynb"], Caps(1000, 1000, 10))
    found = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    assert found == ["data/mine.csv", "notes.txt"]
    assert [refusal.name for refusal in refusals] == ["link"]
