"""Hand-ins: plain data that a notebook writes for the grader, and the defensive reader.

A hand-in of an exercise is `handin/<exercise>.json` (facts, and who wrote it under which probe seed), with
`handin/<exercise>.npz` (arrays), `handin/<exercise>.recipe.json` or `handin/<exercise>.weights.npz` beside it
where the exercise needs them. Never code, never a pickle.

Writing happens where student code runs; reading trusts nothing: names, sizes, shapes and dtypes are checked
before content is used, and every complaint is a sentence for the student.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from augcourse import probes
from augcourse.errors import HandinError, RecipeError

__all__ = ["FOLDER", "Handin", "Record", "read", "record"]

FOLDER = Path("handin")
MAX_JSON_BYTES = 256 * 1024
MAX_ARRAY_BYTES = 64 * 1024 * 1024
MAX_WEIGHTS_BYTES = 4 * 1024 * 1024
FORMAT = "augcourse hand-in 1"


@dataclass
class Record:
    """What a locked cell collects while it runs the student's code; written when the cell ends."""

    exercise: str
    _facts: dict[str, Any] = field(default_factory=dict)
    _arrays: dict[str, np.ndarray] = field(default_factory=dict)
    _recipe: str | None = None
    _weights: list[np.ndarray] | None = None

    def facts(self, **facts: Any) -> None:
        """Small facts: numbers, strings, booleans, and lists or dicts of them."""
        self._facts.update(facts)

    def arrays(self, **arrays: Any) -> None:
        """Numeric arrays; anything that NumPy would have to pickle is refused."""
        for name, value in arrays.items():
            array = np.asarray(value)
            if array.dtype.kind not in "biuf":
                raise HandinError(f"{self.exercise}: {name} should be an array of numbers, not {type(value).__name__}")
            self._arrays[name] = array

    def recipe(self, recipe: Any) -> None:
        """A `Recipe`, a pipeline, or a mapping of digits to pipelines."""
        from augcourse.augment import Recipe

        self._recipe = (recipe if isinstance(recipe, Recipe) else Recipe.of(recipe)).to_json()

    def own_recipe(self, make: Any) -> None:
        """What a student's function returns, as `recipe`, and what it took ready-made from the package.

        The fact `ready_made` names the functions of `augcourse.recipes` that ran meanwhile; and `Recipe`, where a
        recipe was used that had been made before.
        """
        from augcourse import augment, recipes

        ran: set[str] = set()
        files = {recipes.__file__, augment.__file__}

        def note(frame: Any, event: str, _: Any) -> None:
            code = frame.f_code
            if event == "call" and code.co_filename in files:
                ran.add(f"{Path(code.co_filename).stem}.{code.co_name}")

        before = sys.getprofile()
        sys.setprofile(note)
        try:
            made = make()
        finally:
            sys.setprofile(before)
        taken = sorted(name for name in ran if name.startswith("recipes.") and "<module>" not in name)
        used = getattr(getattr(make, "__code__", None), "co_names", ())
        made_before = isinstance(made, augment.Recipe) and "augment.of" not in ran
        if made_before or any(isinstance(make.__globals__.get(name), augment.Recipe) for name in used):
            taken.append("Recipe")
        self.facts(ready_made=taken)
        self.recipe(made)

    def weights(self, model: Any) -> None:
        """The weights of a Keras model."""
        self._weights = [np.asarray(w, dtype=np.float32) for w in model.get_weights()]

    def _write(self, error: str | None) -> None:
        FOLDER.mkdir(exist_ok=True)
        for suffix in ("json", "npz", "recipe.json", "weights.npz"):
            _path(self.exercise, suffix).unlink(missing_ok=True)
        if error is None:
            if self._arrays:
                np.savez(_path(self.exercise, "npz"), allow_pickle=False, **self._arrays)
            if self._recipe is not None:
                _path(self.exercise, "recipe.json").write_text(self._recipe, encoding="utf-8")
            if self._weights is not None:
                numbered = {str(i): array for i, array in enumerate(self._weights)}
                np.savez(_path(self.exercise, "weights.npz"), allow_pickle=False, **numbered)
        envelope = {
            "format": FORMAT,
            "exercise": self.exercise,
            "probe_seed": probes.seed(),
            "error": error,
            "facts": self._facts if error is None else {},
        }
        text = json.dumps(envelope, indent=1, sort_keys=True, default=_plain)
        _path(self.exercise, "json").write_text(text, encoding="utf-8")


@contextmanager
def record(exercise: str) -> Iterator[Record]:
    """Collect a hand-in; write it at the end, or write down the error that ended it and let it pass on.

    Args:
        exercise: the name of the exercise, which names the files.
    """
    out = Record(exercise)
    try:
        yield out
        out._write(None)
    except BaseException as error:
        text = str(error).strip().splitlines()
        out._write(f"{type(error).__name__}{': ' + text[0][:300] if text else ''}")
        raise


@dataclass(frozen=True)
class Handin:
    """A hand-in whose envelope has been checked; its parts are checked when they are asked for."""

    exercise: str
    facts: dict[str, Any]

    def fact(self, name: str, kind: type | tuple[type, ...]) -> Any:
        """One fact of the expected kind (`bool` is not an `int` here).

        Raises:
            HandinError: missing, or of another kind.
        """
        kinds = kind if isinstance(kind, tuple) else (kind,)
        value = self.facts.get(name)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join(k.__name__ for k in kinds)
            raise HandinError(f"{self.exercise}: expected {name} as {wanted}, found {_short(value)}")
        return value

    def array(
        self, name: str, shape: tuple[int | None, ...], dtype: str | None = None, kind: str = "biuf"
    ) -> np.ndarray:
        """One array from the `.npz`, never unpickled.

        Args:
            shape: expected shape; None matches any length.
            dtype: expected dtype, such as `"uint8"`; None accepts any of `kind`.
            kind: accepted NumPy kinds: b(ool), i(nt), u(nsigned), f(loat).

        Raises:
            HandinError: no file, no such array, or another shape, dtype or size than expected.
        """
        path = _path(self.exercise, "npz")
        _check_file(path, self.exercise, MAX_ARRAY_BYTES, "arrays")
        array = _read_array(path, self.exercise, name)
        fits = len(array.shape) == len(shape) and all(
            want in (None, have) for want, have in zip(shape, array.shape, strict=False)
        )
        if not fits:
            wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
            raise HandinError(f"{self.exercise}: expected {name} of shape {wanted}, found {array.shape}")
        if (dtype is not None and array.dtype != np.dtype(dtype)) or array.dtype.kind not in kind:
            wanted = dtype or " or ".join({"b": "bool", "i": "int", "u": "uint", "f": "float"}[k] for k in kind)
            raise HandinError(f"{self.exercise}: expected {name} as {wanted}, found {array.dtype}")
        return array

    def recipe(self, channels: int = 1) -> Any:
        """The `Recipe` of the hand-in, tried in a process of its own.

        Args:
            channels: of the pictures that it is for: 1, or 3 on coloured ink.

        Raises:
            HandinError: missing, not a recipe that may be used, or one that fails its trial (`augcourse.trial`).
        """
        from augcourse import trial
        from augcourse.augment import Recipe

        path = _path(self.exercise, "recipe.json")
        _check_file(path, self.exercise, MAX_JSON_BYTES, "recipe")
        try:
            recipe = Recipe.from_json(path.read_bytes())
            trial.check(recipe, channels)
        except RecipeError as error:
            raise HandinError(f"{self.exercise}: {error}") from None
        return recipe

    def weights(self) -> list[np.ndarray]:
        """The eight float32 arrays of the course's network, all finite.

        Raises:
            HandinError: missing, unreadable, or of another network.
        """
        path = _path(self.exercise, "weights.npz")
        _check_file(path, self.exercise, MAX_WEIGHTS_BYTES, "weights")
        return _read_weights(path, self.exercise)


def read(exercise: str) -> Handin:
    """The hand-in of an exercise, if its own cell wrote it in this run.

    Raises:
        HandinError: there is none, it is malformed, it records an error, or it answers other probes.
    """
    path = _path(exercise, "json")
    _check_file(path, exercise, MAX_JSON_BYTES, "hand-in")
    try:
        envelope = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise HandinError(f"{exercise}: handin/{path.name} is not JSON; run the locked cell above again") from None
    if not isinstance(envelope, dict) or envelope.get("format") != FORMAT:
        raise HandinError(f"{exercise}: handin/{path.name} is not a hand-in; run the locked cell above again")
    error = envelope.get("error")
    if error is not None:
        if str(error).startswith("NotImplementedError"):
            raise HandinError(f"{exercise}: not solved yet: the stub still raises NotImplementedError")
        raise HandinError(f"{exercise}: your code stopped with {str(error)[:400]}")
    if envelope.get("probe_seed") != probes.seed() or envelope.get("exercise") != exercise:
        raise HandinError(
            f"{exercise}: this hand-in answers other probes than the ones asked here; run the locked cell above again"
        )
    facts = envelope.get("facts")
    if not isinstance(facts, dict):
        raise HandinError(f"{exercise}: the hand-in holds no facts; run the locked cell above again")
    return Handin(exercise, facts)


def _path(exercise: str, suffix: str) -> Path:
    if not exercise.isidentifier():
        raise HandinError(f"{exercise!r} is not the name of an exercise")
    return FOLDER / f"{exercise}.{suffix}"


def _check_file(path: Path, exercise: str, max_bytes: int, what: str) -> None:
    if path.is_symlink() or not path.is_file():
        raise HandinError(f"{exercise}: no {what} was handed in; run the locked cell above, and read what it says")
    size = path.stat().st_size
    if size > max_bytes:
        raise HandinError(f"{exercise}: {what}: expected at most {max_bytes:,} bytes, found {size:,}")


def _read_array(path: Path, exercise: str, name: str) -> np.ndarray:
    with _arrays(path, exercise, MAX_ARRAY_BYTES, "arrays") as arrays:
        if name not in arrays.files:
            raise HandinError(f"{exercise}: expected an array named {name}, found {', '.join(arrays.files)}")
        return arrays[name]


@contextmanager
def _arrays(path: Path, exercise: str, max_bytes: int, what: str) -> Iterator[Any]:
    """The arrays of an `.npz` file, never unpickled. Whatever a reader of strangers' bytes raises is one sentence."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            if unpacked > max_bytes:
                raise HandinError(f"{exercise}: {what}: expected at most {max_bytes:,} bytes, found {unpacked:,}")
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays
    except HandinError:
        raise
    except Exception as error:  # NumPy parses a header as Python, and raises what Python raises
        kind = f"{type(error).__name__}: {error}"
        raise HandinError(f"{exercise}: {path.name} cannot be read as {what} of numbers ({kind})") from None


def _read_weights(path: Path, exercise: str) -> list[np.ndarray]:
    from augcourse.model import WEIGHT_SHAPES

    found: list[np.ndarray] = []
    with _arrays(path, exercise, MAX_WEIGHTS_BYTES, "weights") as arrays:
        if len(arrays.files) != len(WEIGHT_SHAPES):
            raise HandinError(
                f"{exercise}: weights: expected {len(WEIGHT_SHAPES)} arrays, found {len(arrays.files)}; "
                "keep the network as it is described"
            )
        for name, shape in enumerate(WEIGHT_SHAPES):
            array = arrays[str(name)] if str(name) in arrays.files else None
            if array is None or array.shape != shape or array.dtype != np.float32:
                have = "none of that name" if array is None else f"{array.dtype} {array.shape}"
                raise HandinError(
                    f"{exercise}: weights: expected array {name} as float32 {shape}, found {have}; "
                    "keep the network as it is described"
                )
            found.append(array)
    if not all(np.isfinite(array).all() for array in found):
        raise HandinError(f"{exercise}: weights: expected finite numbers, found NaN or infinity; did training diverge?")
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise HandinError(f"a fact must be plain data, not {type(value).__name__}")


def _short(value: Any) -> str:
    text = repr(value)
    return "nothing" if value is None else text if len(text) < 80 else text[:77] + "…"
