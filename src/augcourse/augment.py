"""Recipes as data: what albumentations does to a digit, as JSON, as callables and inside tf.data.

A recipe is ten `albumentations.Compose` pipelines, one per digit. They must be the same pipeline except for
flips: a digit may be mirrored only where the mirror image is the same digit, and any other difference
between classes would tell the model the label ("betray" it).

Enters: uint8 images (28, 28, 1), or (28, 28, 3) on coloured ink, in 0..255 and integer labels 0..9. Leaves: the same
shapes, dtypes, ranges.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import albumentations as A
import cv2
import numpy as np
from albumentations.core.serialization import SERIALIZABLE_REGISTRY

from augcourse.errors import RecipeError
from augcourse.settings import CLASSES

__all__ = ["FLIPS", "Recipe", "Transform", "augment"]

# On pictures of 28 × 28 OpenCV's threads only wait for each other, and cost twice the processor time.
cv2.setNumThreads(1)

FLIPS = frozenset({"HorizontalFlip", "VerticalFlip"})
"""The transforms that may differ between the ten pipelines of a recipe."""

FORMAT = "augcourse recipe 1"
MAX_BYTES = 64 * 1024
MAX_TRANSFORMS = 40

Transform = Callable[[np.ndarray, int], np.ndarray]
"""(uint8 image (28, 28, channels), label) → uint8 image of the same shape."""


@dataclass(frozen=True)
class Recipe:
    """Ten pipelines as plain data: `pipelines[digit]` is what `albumentations.to_dict` returned.

    Make one with `Recipe.of`, write it with `to_json`, read it with `from_json`; both readers validate.
    """

    pipelines: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, pipeline: A.Compose | Mapping[int, A.Compose]) -> Recipe:
        """A recipe from one pipeline for every digit, or from a mapping of the ten digits to pipelines.

        Raises:
            RecipeError: something that is not a pipeline, a missing digit, or pipelines that differ between
                digits in more than flips.
        """
        by_digit = pipeline if isinstance(pipeline, Mapping) else dict.fromkeys(range(CLASSES), pipeline)
        missing = [digit for digit in range(CLASSES) if digit not in by_digit]
        if missing:
            raise RecipeError(f"recipe: expected a pipeline for each digit 0 to 9, found none for {missing}")
        for digit, compose in by_digit.items():
            if not isinstance(compose, A.Compose):
                raise RecipeError(
                    f"recipe: expected albumentations.Compose for digit {digit}, found {type(compose).__name__}"
                )
        return cls._validated([_as_data(by_digit[digit]) for digit in range(CLASSES)])

    @classmethod
    def from_json(cls, text: str | bytes) -> Recipe:
        """The recipe in a hand-in's JSON.

        Raises:
            RecipeError: not JSON, too large, not a recipe, a transform that is not albumentations' own, or
                pipelines that differ between digits in more than flips.
        """
        if len(text) > MAX_BYTES:
            raise RecipeError(f"recipe: expected at most {MAX_BYTES} bytes of JSON, found {len(text)}")
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RecipeError(f"recipe: expected JSON, found something else ({error})") from None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise RecipeError(f'recipe: expected {{"format": "{FORMAT}", …}}, found another kind of JSON')
        pipelines = content.get("pipelines")
        if not isinstance(pipelines, list) or len(pipelines) != CLASSES:
            raise RecipeError("recipe: expected a list of ten pipelines, one per digit")
        return cls._validated(pipelines)

    @classmethod
    def _validated(cls, pipelines: list[Any]) -> Recipe:
        for pipeline in pipelines:
            _check_transforms(pipeline)
        shared = {_without_flips(pipeline) for pipeline in pipelines}
        if len(shared) > 1:
            raise RecipeError(
                "recipe: the pipelines of the ten digits differ in more than flips; a transformation that only "
                "some digits get betrays their label, and a clean test would never see it"
            )
        recipe = cls(tuple(pipelines))
        recipe.stream(0)
        return recipe

    def to_json(self) -> str:
        """JSON text that `from_json` reads; equal recipes give equal text."""
        return json.dumps({"format": FORMAT, "pipelines": list(self.pipelines)}, sort_keys=True, indent=1)

    def flipped_digits(self) -> tuple[int, ...]:
        """The digits whose pipeline contains a flip that can happen, ascending."""
        return tuple(d for d, p in enumerate(self.pipelines) if FLIPS & set(_possible(p["transform"])))

    def stream(self, seed: int) -> Transform:
        """A fresh callable whose i-th call draws its randomness from `(seed, i)` alone.

        Two streams of one seed give equal images for equal inputs; within a stream every call differs, so
        a digit that comes back in a later epoch comes back changed. Not for parallel calls.
        """
        try:
            composes = [A.from_dict(pipeline) for pipeline in self.pipelines]
        except Exception as error:
            raise RecipeError(f"recipe: albumentations cannot build it ({error})") from None
        calls = itertools.count()

        def transform(image: np.ndarray, label: int) -> np.ndarray:
            compose = composes[int(label)]
            compose.set_random_seed(int(np.random.SeedSequence((seed, next(calls))).generate_state(1)[0]))
            return np.ascontiguousarray(compose(image=image)["image"])

        return transform

    def apply(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        seed: int,
        watched: Callable[[int], Iterable[int]] = range,
    ) -> np.ndarray:
        """Every image once through one stream: uint8 (n, 28, 28, channels) → the same shape and dtype.

        Args:
            images, labels: the pictures, and for each the digit whose pipeline it passes through.
            seed: of the stream.
            watched: counts from 0 to the number of images, as `range` does; a progress bar, where somebody waits.

        Raises:
            RecipeError: a transform raised, or changed an image's shape or dtype.
        """
        transform = self.stream(seed)
        shape = images.shape[1:]
        out = np.empty((len(images), *shape), np.uint8)
        for i, image, label in zip(watched(len(images)), images, labels, strict=True):
            try:
                augmented = transform(image, int(label))
            except Exception as error:
                raise RecipeError(f"recipe: it stopped at a digit {label}: {type(error).__name__}: {error}") from None
            if augmented.shape != shape or augmented.dtype != np.uint8:
                raise RecipeError(
                    f"recipe: expected uint8 images of shape {shape} back, "
                    f"found {augmented.dtype} of shape {augmented.shape}"
                )
            out[i] = augmented
        return out


def augment(dataset: Any, recipe: Recipe, seed: int) -> Any:
    """A `tf.data.Dataset` of (uint8 (28, 28, 1), int64) whose images pass through the recipe, afresh each time.

    The reference for step 4: sequential (a parallel map would take the random draws in any order), one
    output per input, static shapes kept.
    """
    import tensorflow as tf

    transform = recipe.stream(seed)

    def one(image: Any, label: Any) -> tuple[Any, Any]:
        augmented = tf.numpy_function(transform, [image, label], tf.uint8)
        augmented.set_shape(image.shape)
        return augmented, label

    return dataset.map(one)


def _as_data(compose: A.Compose) -> dict[str, Any]:
    try:
        return json.loads(json.dumps(A.to_dict(compose)))
    except Exception as error:
        raise RecipeError(
            f"recipe: this pipeline cannot be written as data ({error}); use albumentations' own transforms"
        ) from None


def _children(node: dict[str, Any]) -> list[Any]:
    return node["transforms"] if isinstance(node.get("transforms"), list) else []


def _names(node: dict[str, Any]) -> list[str]:
    return [str(node.get("__class_fullname__")), *(n for child in _children(node) for n in _names(child))]


def _possible(node: dict[str, Any]) -> list[str]:
    """`_names` without what has the probability 0, and what stands inside it."""
    if node.get("p") == 0:
        return []
    return [str(node.get("__class_fullname__")), *(n for child in _children(node) for n in _possible(child))]


def _check_transforms(pipeline: Any) -> None:
    node = pipeline.get("transform") if isinstance(pipeline, dict) else None
    if not isinstance(node, dict):
        raise RecipeError("recipe: expected what albumentations.to_dict returns for each digit")
    try:
        names = _names(node)
    except (AttributeError, RecursionError):
        raise RecipeError("recipe: expected nested transforms as albumentations.to_dict writes them") from None
    if len(names) > MAX_TRANSFORMS:
        raise RecipeError(f"recipe: expected at most {MAX_TRANSFORMS} transforms, found {len(names)}")
    unknown = sorted({name for name in names if name not in SERIALIZABLE_REGISTRY})
    if unknown:
        raise RecipeError(f"recipe: {', '.join(unknown)} is not one of albumentations' own transforms")
    paths = sorted({text for text in _strings(node) if "/" in text or "\\" in text})
    if paths:
        raise RecipeError(
            f"recipe: {paths[0][:80]!r} looks like a file's path; a recipe must be complete without files"
        )


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from _strings(each)


IN_TURN = frozenset({"Compose", "Sequential"})
"""The containers that do all they hold, one after the other: a flip that is left out changes nothing for the others."""


def _without_flips(pipeline: dict[str, Any]) -> str:
    """What is left of a pipeline, as text, without its flips and without what does nothing.

    A flip beside another transform in a container that chooses (`OneOf`, `SomeOf` …) stays: it changes how often the
    others happen, and that would tell the label.
    """

    def only_flips(node: dict[str, Any]) -> bool:
        children = _children(node)
        if "transforms" in node:
            return all(only_flips(child) for child in children)
        return node.get("p") == 0 or node.get("__class_fullname__") in FLIPS | {"NoOp"}

    def strip(node: dict[str, Any]) -> dict[str, Any]:
        if node.get("__class_fullname__") not in IN_TURN:
            return node
        return {**node, "transforms": [strip(child) for child in _children(node) if not only_flips(child)]}

    return json.dumps(strip(pipeline["transform"]), sort_keys=True)
