"""A graded notebook → the feedback page that its student opens: one file that loads nothing and runs nothing.

For `c.GenerateFeedback.exporter_class`. The page begins with what `gradebox.summary` found; the notebook follows,
with its texts and outputs made harmless (`gradebox.harmless`). A content security policy in the page forbids the
browser what the page does not need anyway: scripts, and whatever is not in the page itself.
"""

import re
from collections.abc import Iterator
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from markupsafe import Markup, escape
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter
from traitlets import default
from traitlets.config import Config

from gradebox import charts, harmless
from gradebox.errors import meaning
from gradebox.figures import Measurement
from gradebox.summary import Comparison, Summary

__all__ = ["FeedbackExporter", "environment"]

STYLES = {"light": "xcode", "dark": "github-dark"}  # of Pygments: each colour stands out enough on the page's own
SHOWN = ["text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/plain", "text/latex"]


class FeedbackExporter(HTMLExporter):
    """nbconvert's HTMLExporter with this package's page; nbgrader's `generate_feedback` makes one for all pages."""

    export_from_notebook = None  # it needs what nbgrader's preprocessors find out

    @property
    def default_config(self) -> Config:
        """Settings under a course's own. Called by nbconvert as an exporter is made."""
        settings = super().default_config.copy()
        settings.pop("NbConvertBase", None)  # nbgrader's preprocessors complain of it, one line each
        settings.merge(
            {
                "FeedbackExporter": {
                    "template_name": "base",
                    "template_file": "feedback.html.j2",
                    "sanitize_html": True,
                    "exclude_anchor_links": True,
                    "preprocessors": [],  # those of c.HTMLExporter would take lines that the summary is made of
                },
                "WidgetsDataTypeFilter": {"display_data_priority": SHOWN},
            }
        )
        return settings

    @default("extra_loaders")
    def _own_templates(self) -> list[PackageLoader]:
        return [PackageLoader("gradebox")]

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        """The filters of the page's template. Called by nbconvert as it makes the template's environment."""
        yield from super().default_filters()
        yield "harmless", harmless.clean
        yield "prose", _prose
        yield "as_head", _head

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Make the page. Called by nbconvert's `from_filename`, which nbgrader calls for each notebook."""
        resources = {} if resources is None else resources
        code = {name: HtmlFormatter(style=style).get_style_defs(".highlight") for name, style in STYLES.items()}
        resources["gradebox"] = {**resources.get("gradebox", {}), "code": code}
        return super().from_notebook_node(nb, resources, **kwargs)


def environment() -> Environment:
    """What this package's own pages are made with: every value is text, unless it says that it is markup."""
    return Environment(
        autoescape=True,
        loader=PackageLoader("gradebox"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@pass_context
def _prose(context: Any, source: str) -> str:
    """Markdown as harmless HTML, with its headings two levels below the page's own."""
    text = harmless.markdown(context, source)
    return re.sub(r"(</?h)([1-6])>", lambda found: f"{found[1]}{min(6, int(found[2]) + 2)}>", text)


def _code(text: str) -> Markup:
    """Text whose `backticks` are code."""
    parts = re.split(r"`([^`\n]+)`", text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )


def _parts(why: str) -> list[tuple[str, Markup]]:
    """The lines of a reason as (name, text): `  expected: 4` has a name, and a line without one has an empty name."""
    named = [re.fullmatch(r"\s+([a-z][a-z ]{0,20}):\s+(\S.*)", line) for line in why.splitlines()]
    lines = zip(named, why.splitlines(), strict=True)
    return [(found[1], _code(found[2])) if found else ("", _code(line)) for found, line in lines if line.strip()]


def _head(summary: Summary) -> Markup:
    sheet = charts.Sheet()
    figures = [(each.own.label, _drawn(sheet, each), _sentences(each)) for each in summary.comparisons]
    made = (
        environment()
        .get_template("summary.html.j2")
        .render(
            summary=summary,
            figures=figures,
            endings=[(name, meaning(name)) for name in summary.endings],
            number=number,
            code=_code,
            parts=_parts,
            name=" ".join(each for each in (summary.person.first_name, summary.person.last_name) if each),
        )
    )
    return Markup(made)


def _drawn(sheet: charts.Sheet, compared: Comparison) -> Markup:
    own = compared.own
    title = f"{own.label[:1].upper()}{own.label[1:]}: yours" + (" and the others’" if compared.others else "")
    return sheet.among(own, compared.others, title, _sentences(compared))


def _sentences(compared: Comparison) -> str:
    own = compared.own
    unit = f" {own.unit}" if own.unit else ""
    value, low, high = (_measured(each, own) for each in (own.value, own.low, own.high))
    said = f"Yours: {value}{unit}, between {low} and {high}."
    if own.reference is not None:
        side = {True: "both limits are above it", False: "both limits are below it", None: "it lies between the limits"}
        said += f" The {own.reference_label} is {number(own.reference)}: {side[own.is_above]}."
    if own.note:
        said += f" {own.note}"
    if compared.others:
        median = _measured(compared.median, own)
        return f"{said} Of {len(compared.others)} others, who are dots without names here, half have {median} or more."
    return f"{said} Others would be dots without names here; fewer than {compared.fewest} have such a figure."


def number(value: float) -> str:
    """A number for a reader: three digits at most, and no more than there are."""
    return f"{value:.3g}".replace("-", "−")


def _measured(value: float, like: Measurement) -> str:
    """A number with as many decimals as the others of its measurement: one of them, unless they are small or large."""
    size = max(abs(like.low), abs(like.high))
    return f"{value:.1f}".replace("-", "−") if 1 <= size < 1000 else number(value)
