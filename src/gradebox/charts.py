"""Numbers → inline SVG: the figures of a report.

Each figure is one `<svg role="img">` with a title and a description for those who do not see it, text that is text,
and colours that are the page's own CSS variables, so that one figure serves light and dark. It is as wide as a phone:
a page puts several side by side where there is room.
"""

import io
import math
import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from gradebox.figures import Measurement

__all__ = ["Sheet"]

WIDTH_IN = 4.9  # 353 points: the width of a phone's screen, so that text keeps its size there
ROW_IN = 0.24
MANY = 60  # rows: beyond, they are drawn closer together and without names
MAX_NAME = 22  # characters of a name in a figure; tables have them whole

# Stand-ins that matplotlib draws with; in the SVG they become the page's variables.
INK, QUIET, LINE, FILL, ACCENT, PAPER = "#010101", "#020202", "#030303", "#040404", "#050505", "#060606"
VARIABLES = {INK: "--ink", QUIET: "--quiet", LINE: "--line", FILL: "--fill", ACCENT: "--accent", PAPER: "--paper"}

STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "figure.facecolor": "none",
    "xtick.color": LINE,
    "xtick.labelcolor": INK,
    "ytick.color": LINE,
    "ytick.labelcolor": INK,
    "text.parse_math": False,
    "text.usetex": False,
    "timezone": "UTC",
}

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"


def shown(text: str, most: int | None = MAX_NAME) -> str:
    """The text as one line that any XML may hold, of at most so many characters.

    Controls, halves of surrogate pairs and what is no character are replaced. Format characters stay: names in Persian
    need the zero-width non-joiner.
    """
    words = " ".join(text.split())
    plain = "".join("�" if unicodedata.category(each) in ("Cc", "Cs", "Cn") else each for each in words)
    return plain if most is None or len(plain) <= most else f"{plain[: most - 1]}…"


class Sheet:
    """Draws the figures of one page; each has ids of its own."""

    def __init__(self) -> None:
        self._count = 0

    def histogram(self, shares: Sequence[float], median: float, title: str, description: str) -> Markup:
        """How many have which share of the points.

        Args:
            shares: at least one, from 0; extra credit may lift one above 1.
            median: of the shares.
        """
        with mpl.rc_context(STYLE):
            figure, ax = _axes(2.3)
            last = max(1.0, math.ceil(max(shares) * 10 - 1e-9) / 10)
            edges = np.arange(round(last * 10) + 1) / 10
            # A share on an edge counts in the bin below it, so that full marks have no bin beyond 100 %.
            places = np.clip(np.ceil(np.asarray(shares) * 10 - 1e-9).astype(int) - 1, 0, len(edges) - 2)
            counts = np.bincount(places, minlength=len(edges) - 1)
            bars = ax.bar(edges[:-1] + 0.05, counts, width=0.088, color=FILL)
            ax.bar_label(bars, labels=[str(each) if each else "" for each in counts], padding=1, fontsize=9)
            above = {"transform": ax.get_xaxis_transform(), "clip_on": False, "zorder": 5}
            ax.plot([min(median, last)], [1.0], "v", color=ACCENT, markersize=8, markeredgecolor="none", **above)
            ax.set(xlabel="share of the points", ylabel="students", xlim=(-0.01, last + 0.01))
            ax.set_ylim(0, max(counts) * 1.25)
            ax.xaxis.set_major_formatter(PercentFormatter(1.0))
            ax.set_xticks(np.arange(0, last + 0.01, 0.2 if last <= 1.2 else 0.5))
            ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
            return self._svg(figure, title, description)

    def items(
        self, labels: Sequence[str], difficulty: Iterable[float], discrimination: Iterable[float], title: str, text: str
    ) -> Markup:
        """Two panels, a row for each exercise: the mean share of its points, and its discrimination.

        Args:
            labels: names of exercises, from top to bottom.
            difficulty: in 0..1, or above with extra credit; NaN is left out.
            discrimination: in -1..1; NaN is left out.
        """
        rows = np.arange(len(labels))[::-1]
        shares, worth = np.asarray(list(difficulty), float), np.asarray(list(discrimination), float)
        with mpl.rc_context(STYLE):
            figure = Figure(figsize=(WIDTH_IN, 0.85 + ROW_IN * max(len(labels), 2)), layout="constrained")
            left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1.5, 1])
            have = ~np.isnan(shares)
            left.barh(rows[have], shares[have], height=0.62, color=FILL)
            for row, share in zip(rows[have], shares[have], strict=True):
                inside = share > 0.35
                left.text(
                    min(share, 1) - 0.02 if inside else share + 0.02,
                    row,
                    f"{share:.0%}",
                    ha="right" if inside else "left",
                    va="center",
                    fontsize=9,
                    color=PAPER if inside else INK,
                )
            left.set(xlim=(0, 1), xlabel="mean share", ylim=(-0.6, len(labels) - 0.4))
            left.set_yticks(rows, [shown(each) for each in labels], parse_math=False)
            left.set_xticks([0, 0.5, 1])
            left.xaxis.set_major_formatter(PercentFormatter(1.0))
            right.axvline(0, color=LINE, linewidth=1)
            have = ~np.isnan(worth)
            right.hlines(rows[have], 0, worth[have], color=LINE, linewidth=1.2)
            right.plot(worth[have], rows[have], "o", color=INK, markersize=5)
            below = have & (np.nan_to_num(worth) < 0)
            right.plot(worth[below], rows[below], "o", color=ACCENT, markersize=7)
            right.set(xlim=(min(-0.3, np.nanmin(worth, initial=0.0) - 0.1), 1.05), xlabel="discrimination")
            right.set_xticks([0, 0.5, 1])
            for ax in (left, right):
                ax.tick_params(axis="y", length=0)
            right.spines["left"].set_visible(False)
            return self._svg(figure, title, text)

    def intervals(self, rows: Sequence[tuple[str, Measurement]], title: str, description: str) -> Markup:
        """A dot with its interval for each measurement, from the highest value at the top.

        Filled dots are above the reference, crosses below it, and open dots hold it in their interval.
        """
        many = len(rows) > MANY
        height = 0.95 + (ROW_IN / 4 if many else ROW_IN) * max(len(rows), 3)
        with mpl.rc_context(STYLE):
            figure, ax = _axes(height)
            first = rows[0][1]
            _draw_reference(ax, first)
            for place, (_, each) in enumerate(rows):
                ax.plot([each.low, each.high], [place, place], color=QUIET, linewidth=1.4, solid_capstyle="round")
                ax.plot([each.value], [place], markersize=4 if many else 6, **_marker(each))
            ax.set(ylim=(-0.7, len(rows) - 0.3))
            ax.set_xlabel(_with_unit(first), parse_math=False)
            ax.set_yticks(range(len(rows)), [shown(name) for name, _ in rows], parse_math=False)
            if many:
                ax.set_yticks([])
                ax.set_ylabel(f"{len({name for name, _ in rows})} students")
            ax.tick_params(axis="y", length=0)
            ax.spines["left"].set_visible(False)
            ax.xaxis.set_major_locator(MaxNLocator(6))
            return self._svg(figure, title, description)

    def among(self, own: Measurement, others: Sequence[float], title: str, description: str) -> Markup:
        """One measurement with its interval, above the values of others, which are dots without names.

        Args:
            own: the one.
            others: values in its unit; none of them for the one alone.
        """
        with mpl.rc_context(STYLE):
            figure, ax = _axes(1.85 if others else 1.15)
            _draw_reference(ax, own)
            ax.plot([own.low, own.high], [1, 1], color=FILL, linewidth=3, solid_capstyle="round")
            ax.plot([own.value], [1], "D", color=FILL, markersize=8, markeredgecolor=PAPER, markeredgewidth=1)
            if others:
                ax.plot(others, _stacked(others), "o", color=QUIET, markersize=4.5, markeredgewidth=0)
            ax.set(ylim=(-0.75 if others else 0.5, 1.5))
            ax.set_yticks([1, 0] if others else [1], ["yours", f"{len(others)} others"] if others else ["yours"])
            ax.set_xlabel(_with_unit(own), parse_math=False)
            ax.tick_params(axis="y", length=0)
            ax.spines["left"].set_visible(False)
            ax.margins(x=0.06)
            ax.xaxis.set_major_locator(MaxNLocator(6))
            return self._svg(figure, title, description)

    def _svg(self, figure: Figure, title: str, description: str) -> Markup:
        self._count += 1
        place = f"fig{self._count}-"
        text = io.StringIO()
        with mpl.rc_context({"svg.hashsalt": place}), warnings.catch_warnings():
            # A name may have letters that matplotlib's own font lacks: the reader's browser has others.
            warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
            figure.savefig(text, format="svg", metadata={"Date": None})
        root = ElementTree.fromstring(text.getvalue())
        return _inline(root, place, title, description)


def _axes(height_in: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
    return figure, figure.subplots()


def _draw_reference(ax: Any, measured: Measurement) -> None:
    ax.axvline(0, color=LINE, linewidth=1)
    if measured.reference is not None:
        ax.axvline(measured.reference, color=ACCENT, linewidth=1.4, linestyle=(0, (4, 2)))
        ax.annotate(
            shown(f"{measured.reference_label} {measured.reference:g}"),
            (measured.reference, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, 2),
            textcoords="offset points",
            fontsize=9,
            parse_math=False,
        )


def _with_unit(measured: Measurement) -> str:
    unit = f" ({shown(measured.unit)})" if measured.unit else ""
    return f"{shown(measured.label, most=None)}{unit}"


def _stacked(values: Sequence[float], step: float = 0.22, reach: float = 0.6) -> np.ndarray:
    """Heights around 0, within ± reach, for dots at these values, so that few of them hide each other."""
    places = np.asarray(values, float)
    width = max(np.ptp(places), 1e-12) / 40  # about as wide as a dot
    bins = np.floor((places - places.min()) / width).astype(int)
    rank = np.array([np.sum(bins[:place] == each) for place, each in enumerate(bins)])
    heights = np.where(rank % 2, 1, -1) * ((rank + 1) // 2) * step
    highest = np.abs(heights).max(initial=0.0)
    return heights * min(1.0, reach / highest) if highest else heights


def _marker(measured: Measurement) -> dict[str, Any]:
    if measured.is_above is False:
        return {"marker": "X", "color": INK, "markeredgecolor": PAPER, "markeredgewidth": 0.5}
    if measured.is_above is None and measured.reference is not None:
        return {"marker": "o", "markerfacecolor": PAPER, "markeredgecolor": INK, "markeredgewidth": 1.4}
    return {"marker": "o", "color": INK}


def _inline(root: ElementTree.Element, place: str, title: str, description: str) -> Markup:
    """The figure as part of a page: named, described, with ids and colours that fit in."""
    for child in [each for each in root if each.tag == f"{{{SVG}}}metadata"]:
        root.remove(child)
    for element in root.iter():
        for name, value in element.attrib.items():
            if name == "id":
                element.set(name, place + value)
            elif name == f"{{{XLINK}}}href":
                element.set(name, value.replace("#", f"#{place}", 1))
            else:
                for colour, variable in VARIABLES.items():
                    value = value.replace(colour, f"var({variable})")
                element.set(name, value.replace("url(#", f"url(#{place}"))
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{place}title {place}text")
    for index, (kind, said) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(f"{{{SVG}}}{kind}", {"id": f"{place}{'text' if index else 'title'}"})
        element.text = shown(said, most=None)
        root.insert(index, element)
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    return Markup(ElementTree.tostring(root, encoding="unicode"))
