"""What graded cells say of a student's work: lines of their output → numbers and pictures.

A graded cell can say what it measured, and show what it looked at. It prints a line for each, a prefix and a JSON
object:

    gradebox.figures: {"label": "gain over the baseline", "value": 4.1, "low": 2.2, "high": 6.0}
    gradebox.picture: {"label": "what the recipe does", "alt": "ten digits, …", "png": "iVBORw0KGgo…"}
    gradebox.prediction: {"question": "shift or rotation", "answer": "rotation", "measured": "shift"}

Of figures, `label` (text), `value`, `low` and `high` (numbers of at most `MAX_NUMBER` either way, `low` ≤ `value` ≤
`high`) are required. `unit` (text), `reference` (a number that the interval is held against), `reference_label`
(text) and `note` (a sentence or two that say the same in other words) may follow. Of a picture, `label`, `alt` (its
content in words, for those who do not see it) and `png` (base64 of a PNG file of at most `MAX_PICTURE_BYTES` bytes and
`MAX_SIDE` pixels either way) are required; what leaves here is drawn again from its pixels. Of a prediction, which a
student made before a result was shown and which earns nothing, all three texts are required. All are lines on stdout
because that is what `gradebox.feedback` lets out of a trusted kernel. With one kernel for all cells a student can print
such lines, too.
"""

import base64
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import ValidationError, reader

from gradebox.errors import ENDINGS
from gradebox.plain import visible

__all__ = [
    "FIGURES_PREFIX",
    "MAX_NUMBER",
    "PICTURE_PREFIX",
    "PREDICTION_PREFIX",
    "Measurement",
    "Picture",
    "Prediction",
    "Said",
    "measurements",
    "pictures",
    "predictions",
    "read_graded",
    "said",
    "without_lines",
]

FIGURES_PREFIX = "gradebox.figures:"
PICTURE_PREFIX = "gradebox.picture:"
PREDICTION_PREFIX = "gradebox.prediction:"
MAX_LABEL = 80  # characters of a measurement's texts
MAX_ALT = 400  # characters of a picture's description
MAX_NOTE = 300  # characters of what a measurement says in other words
MAX_LINES = 20  # measurements of one cell, and predictions
MAX_PICTURES = 4  # of one cell
MAX_PICTURE_BYTES = 60_000
MAX_SIDE = 1000  # pixels
DAMAGED = (ValueError, TypeError, KeyError, AttributeError, RecursionError)  # what reading a broken notebook raises
MAX_NUMBER = 1e15  # either way: a figure's axis is some times as long as its longest interval, and must stay finite


@dataclass(frozen=True)
class Measurement:
    """What a graded cell measured of one student's work; the numbers are in `unit`, and at most `MAX_NUMBER`."""

    label: str
    value: float
    low: float
    high: float
    unit: str = ""
    reference: float | None = None
    reference_label: str = "reference"
    note: str = ""

    @property
    def is_above(self) -> bool | None:
        """Whether the interval is above the reference; None where it holds it, or where there is no reference."""
        if self.reference is None:
            return None
        return True if self.low > self.reference else False if self.high < self.reference else None

    def sentence(self) -> str:
        """The measurement in words, for whoever knows whose it is."""
        held = "" if self.reference is None else f"; {self.reference_label} {self.reference:g}"
        unit = f" {self.unit}" if self.unit else ""
        noted = f". {self.note}" if self.note else ""
        return f"{self.label}: {self.value:.3g}{unit}, between {self.low:.3g} and {self.high:.3g}{held}{noted}"

    @property
    def kind(self) -> tuple[str, str, float | None, str]:
        """What two measurements share that may stand on one axis."""
        return self.label, self.unit, self.reference, self.reference_label


@dataclass(frozen=True)
class Picture:
    """What a graded cell shows of one student's work: a PNG of width × height pixels."""

    label: str
    alt: str
    png: bytes
    width: int
    height: int

    @property
    def uri(self) -> str:
        """The picture as an address that holds all of it."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode()}"


@dataclass(frozen=True)
class Prediction:
    """What a student expected before a result was shown, and what was measured."""

    question: str
    answer: str
    measured: str


@dataclass(frozen=True)
class Said:
    """What the graded notebooks of one submission say; `readable` is false where one of them is missing."""

    measured: tuple[Measurement, ...] = ()
    pictures: tuple[Picture, ...] = ()
    endings: tuple[str, ...] = ()
    readable: bool = True
    predicted: tuple[Prediction, ...] = ()


def measurements(text: str) -> Iterator[Measurement]:
    """The measurements among the lines of a cell's output; what is not well formed is passed over."""
    for found in _objects(text, FIGURES_PREFIX, MAX_LINES):
        try:
            numbers = {name: float(found[name]) for name in ("value", "low", "high")}
            reference = None if found.get("reference") is None else float(found["reference"])
            label = _short(found["label"])
        except (ValueError, TypeError, KeyError, OverflowError):
            continue
        drawable = all(abs(each) <= MAX_NUMBER for each in (*numbers.values(), reference or 0.0))  # NaN is not
        if not (label and drawable and numbers["low"] <= numbers["value"] <= numbers["high"]):
            continue
        unit, held_against = _short(found.get("unit", "")), _short(found.get("reference_label", ""))
        yield Measurement(
            label,
            **numbers,
            unit=unit,
            reference=reference,
            reference_label=held_against or "reference",
            note=_short(found.get("note", ""), MAX_NOTE),
        )


def pictures(text: str) -> Iterator[Picture]:
    """The pictures among the lines of a cell's output; what is not well formed, or too large, is passed over."""
    for found in _objects(text, PICTURE_PREFIX, MAX_PICTURES):
        label, alt, content = (found.get(name) for name in ("label", "alt", "png"))
        if not (isinstance(content, str) and len(content) <= 4 * MAX_PICTURE_BYTES / 3 + 4 and label and alt):
            continue
        drawn = _drawn_again(content)
        if drawn is not None:
            yield Picture(_short(label), _short(alt, MAX_ALT), *drawn)


def predictions(text: str) -> Iterator[Prediction]:
    """The predictions among the lines of a cell's output; what is not well formed is passed over."""
    for found in _objects(text, PREDICTION_PREFIX, MAX_LINES):
        texts = [_short(found.get(name) or "") for name in ("question", "answer", "measured")]
        if all(texts):
            yield Prediction(*texts)


def without_lines(text: str) -> str:
    """The text without the lines that say figures or predictions or show pictures, well formed or not."""
    prefixes = (FIGURES_PREFIX, PICTURE_PREFIX, PREDICTION_PREFIX)
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(prefixes))


def said(cells: Iterable[Any]) -> Said:
    """What the cells of a graded notebook say; measurements and pictures are those of graded cells without an answer.

    A damaged cell says nothing, and makes the notebook one that is not readable.
    """
    return _together(_said_by(cell) for cell in cells)


def read_graded(paths: Iterable[Path]) -> Said:
    """What the graded notebooks of one submission say together; a file that is none makes them not readable."""
    return _together(_said_in(path) for path in paths)


def _said_in(path: Path) -> Said:
    try:
        return said(reader.reads(path.read_text(encoding="utf-8")).cells)
    except (OSError, *DAMAGED, ValidationError):
        return Said(readable=False)


def _said_by(cell: Any) -> Said:
    try:
        outputs = cell.get("outputs", [])
        endings = {str(output.get("ename")) for output in outputs} & ENDINGS
        label = cell.metadata.get("nbgrader") or {}
        text = "".join(_stdout(outputs)) if label.get("grade") and not label.get("solution") else ""
    except DAMAGED:
        return Said(readable=False)
    return Said(tuple(measurements(text)), tuple(pictures(text)), tuple(endings), predicted=tuple(predictions(text)))


def _together(parts: Iterable[Said]) -> Said:
    listed = list(parts)
    return Said(
        tuple(each for part in listed for each in part.measured),
        tuple(each for part in listed for each in part.pictures),
        tuple(sorted({name for part in listed for name in part.endings})),
        all(part.readable for part in listed),
        tuple(each for part in listed for each in part.predicted),
    )


def _stdout(outputs: Iterable[Any]) -> Iterator[str]:
    for output in outputs:
        if output.get("output_type") == "stream" and output.get("name") == "stdout":
            yield output.text


def _objects(text: str, prefix: str, most: int) -> Iterator[dict[str, Any]]:
    lines = (line for line in text.splitlines() if line.startswith(prefix))
    for line, _ in zip(lines, range(most), strict=False):
        try:
            found = json.loads(line.removeprefix(prefix))
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            yield found


def _drawn_again(content: str) -> tuple[bytes, int, int] | None:
    """A PNG with the same pixels and nothing else in it, its width and its height; None if `content` is none."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(base64.b64decode(content, validate=True)), formats=["PNG"]) as image:
            width, height = image.size
            if max(width, height) > MAX_SIDE:
                return None
            pixels = image.convert("L" if image.mode in ("1", "L") else "RGBA")
    except Exception:  # Pillow meets a stranger's file with any exception there is
        return None
    pixels.info.clear()
    written = io.BytesIO()
    pixels.save(written, "PNG", optimize=True)
    return (written.getvalue(), width, height) if written.tell() <= MAX_PICTURE_BYTES else None


def _short(text: Any, most: int = MAX_LABEL) -> str:
    return visible(" ".join(str(text).split()))[:most]
