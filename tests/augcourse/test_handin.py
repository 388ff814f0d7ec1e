"""Hand-ins: what is written comes back, and nothing malformed gets through."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import sys
import zipfile

import albumentations as A
import numpy as np
import pytest

from augcourse import checks, handin, probes, recipes
from augcourse.augment import Recipe
from augcourse.errors import HandinError
from augcourse.model import build_model


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(probes.VARIABLE, raising=False)


def write(**arrays):
    with handin.record("thing") as out:
        out.facts(steps=3, spec={"a": [1, 2]})
        out.arrays(**(arrays or {"x": np.arange(6).reshape(2, 3)}))


def forge(content: bytes, suffix: str = "npz"):
    write()
    (handin.FOLDER / f"thing.{suffix}").write_bytes(content)


def test_facts_and_arrays_come_back():
    write()
    work = handin.read("thing")
    assert work.fact("steps", int) == 3
    assert work.fact("spec", dict) == {"a": [1, 2]}
    assert np.array_equal(work.array("x", (2, None)), np.arange(6).reshape(2, 3))


def test_a_recipe_comes_back():
    with handin.record("thing") as out:
        out.recipe(recipes.geometric())
    assert handin.read("thing").recipe() == recipes.geometric()


def test_weights_come_back_bit_for_bit():
    model = build_model(1)
    with handin.record("thing") as out:
        out.weights(model)
    for have, want in zip(handin.read("thing").weights(), model.get_weights(), strict=True):
        assert np.array_equal(have, want)


def test_two_hand_ins_of_the_same_work_are_identical_files():
    def files():
        with handin.record("thing") as out:
            out.facts(b=1, a=2)
            out.arrays(x=np.ones(3), y=np.zeros(2, np.uint8))
            out.weights(build_model(3))
            out.recipe(recipes.geometric())
        return {path.name: path.read_bytes() for path in handin.FOLDER.iterdir()}

    assert files() == files()


def test_an_error_is_written_down_and_passed_on():
    with pytest.raises(ZeroDivisionError), handin.record("thing"):
        1 / 0  # noqa: B018
    with pytest.raises(HandinError, match="your code stopped with ZeroDivisionError"):
        handin.read("thing")


def test_a_stub_is_called_unsolved():
    with pytest.raises(NotImplementedError), handin.record("thing"):
        raise NotImplementedError
    with pytest.raises(HandinError, match="not solved yet"):
        handin.read("thing")


def test_an_error_leaves_nothing_of_an_earlier_run():
    write()
    with pytest.raises(ZeroDivisionError), handin.record("thing"):
        1 / 0  # noqa: B018
    assert [path.name for path in handin.FOLDER.iterdir()] == ["thing.json"]


def test_a_missing_hand_in_says_which_cell_to_run():
    with pytest.raises(HandinError, match="run the locked cell above"):
        handin.read("thing")


def test_a_hand_in_of_other_probes_is_stale(monkeypatch):
    write()
    monkeypatch.setenv(probes.VARIABLE, "77")
    with pytest.raises(HandinError, match="answers other probes"):
        handin.read("thing")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": "x"}', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_envelope_is_one_sentence(content):
    forge(content, "json")
    with pytest.raises(HandinError, match="run the locked cell above"):
        handin.read("thing")


def test_an_array_of_objects_is_never_written():
    with pytest.raises(HandinError, match="array of numbers"):
        write(x=np.array([{}, None], dtype=object))


def test_a_pickle_in_an_array_file_is_never_loaded(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "exploded"),))

    buffer = io.BytesIO()
    np.save(buffer, np.array([Bomb()], dtype=object), allow_pickle=True)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x.npy", buffer.getvalue())
    for content in (packed.getvalue(), pickle.dumps([1])):
        forge(content)
        with pytest.raises(HandinError, match="cannot be read"):
            handin.read("thing").array("x", (None,))
    assert not (tmp_path / "exploded").exists()


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", b"\0" * (handin.MAX_ARRAY_BYTES + 1))
    forge(packed.getvalue())
    with pytest.raises(HandinError, match="expected at most"):
        handin.read("thing").array("x", (None,))


@pytest.mark.parametrize(
    ("shape", "dtype", "says"),
    [((3,), None, r"of shape \(3\), found \(2, 3\)"), ((2, 3), "uint8", "as uint8, found int64")],
)
def test_another_shape_or_dtype_is_named(shape, dtype, says):
    write()
    with pytest.raises(HandinError, match=says):
        handin.read("thing").array("x", shape, dtype)


def test_a_link_among_the_hand_ins_is_not_followed(tmp_path):
    write()
    secret = tmp_path / "secret.json"
    secret.write_bytes((handin.FOLDER / "thing.json").read_bytes())
    (handin.FOLDER / "thing.json").unlink()
    (handin.FOLDER / "thing.json").symlink_to(secret)
    with pytest.raises(HandinError, match="no hand-in was handed in"):
        handin.read("thing")


def forge_weights(change):
    with handin.record("thing") as out:
        out.weights(build_model(0))
    path = handin.FOLDER / "thing.weights.npz"
    with np.load(path) as arrays:
        held = dict(arrays)
    change(held)
    np.savez(path, **held)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda held: held.pop("7"), "expected 8 arrays, found 7"),
        (lambda held: held.update({"1": np.zeros(17, "f4")}), r"array 1 as float32 \(16,\), found float32 \(17,\)"),
        (lambda held: held.update({"1": np.zeros(16, np.float64)}), "found float64"),
        (lambda held: held.update({"1": np.full(16, np.nan, np.float32)}), "finite numbers"),
        (lambda held: held.update({"other": held.pop("1")}), "found none of that name"),
        (lambda held: held.update({"1": np.array([print], object)}), "cannot be read as weights"),
    ],
)
def test_weights_of_another_kind_are_refused_with_a_sentence(change, says):
    forge_weights(change)
    with pytest.raises(HandinError, match=says):
        handin.read("thing").weights()


@pytest.mark.parametrize("content", [b"not a zip", b"PK\x03\x04" + bytes(40)])
def test_a_file_that_holds_no_arrays_is_refused_with_a_sentence(content):
    forge(content, "weights.npz")
    with pytest.raises(HandinError, match="cannot be read as weights"):
        handin.read("thing").weights()


@pytest.mark.parametrize(
    "header", ["if x:\n    a\n  b", "(" * 5000, "1" * 5000, "{'descr': '<f8', 'shape': (-1,)}", ""]
)
def test_a_header_that_is_no_header_is_a_sentence(header):
    """NumPy parses an array's header as Python, and raises what Python raises: an IndentationError, for one."""
    text = header.encode() + b"\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(64))
    forge(packed.getvalue())
    with pytest.raises(HandinError, match="cannot be read as arrays"):
        handin.read("thing").array("x", (None,))


def test_a_message_quotes_only_so_much_of_a_hand_in():
    write()
    work = handin.read("thing")
    with pytest.raises(HandinError) as refused:
        raise HandinError("x" * 10_000_000)
    with pytest.raises(checks.CheckFailed) as failed:
        checks.expect(False, "a count", got=[0] * 1_000_000)
    assert max(len(str(refused.value)), len(str(failed.value))) < 3000
    assert work


def test_the_envelope_is_plain_json():
    write()
    assert json.loads((handin.FOLDER / "thing.json").read_text())["facts"]["steps"] == 3


def own(make):
    with handin.record("thing") as out:
        out.own_recipe(make)
    return handin.read("thing")


def by_hand():
    return A.Compose([a_rotation()])


def a_rotation():
    return A.Affine(rotate=(-15, 15), p=1.0)


READY = recipes.geometric()


def test_a_recipe_of_a_students_own_takes_nothing_ready_made():
    assert own(by_hand).fact("ready_made", list) == []
    assert own(lambda: Recipe.of(by_hand())).fact("ready_made", list) == []
    assert own(by_hand).recipe() == Recipe.of(by_hand())


def test_the_same_numbers_written_by_hand_are_a_students_own():
    def same():
        pen = [A.Morphological(scale=(2, 2), operation=kind, p=1.0) for kind in ("dilation", "erosion")]
        return A.Compose([A.OneOf([*pen, A.NoOp()], p=1.0)])

    assert own(same).recipe() == Recipe.of(A.Compose([recipes.pen()]))
    assert own(same).fact("ready_made", list) == []


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (recipes.geometric, "recipes.geometric"),
        (recipes.best_known, "recipes.best_known"),
        (lambda: recipes.named("shift ±10 %"), "recipes.named"),
        (lambda: A.from_dict(recipes.geometric().pipelines[0]), "recipes.geometric"),
        (lambda: A.Compose([recipes.pen(), A.NoOp()]), "recipes.pen"),
        (lambda: READY, "Recipe"),
        (lambda: A.from_dict(READY.pipelines[0]), "Recipe"),
    ],
)
def test_what_was_taken_ready_made_is_named(make, names):
    assert names in own(make).fact("ready_made", list)


def test_a_profiler_of_ones_own_is_put_back():
    seen = []
    sys.setprofile(lambda *_: seen.append(1))
    try:
        own(by_hand)
        before = len(seen)
        by_hand()
        assert len(seen) > before
    finally:
        sys.setprofile(None)
