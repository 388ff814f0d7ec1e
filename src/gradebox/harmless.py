"""What anyone may have written → HTML that runs nothing, loads nothing and leaves its place on the page.

Enters: Markdown, HTML and outputs of a submitted notebook. Leaves: the same, with the elements and attributes that a
text needs and no others. Feedback pages are opened by students and instructors, and the formgrader shows a
submission on the instructor's own Jupyter server, where a script could do whatever the instructor may.

For nbconvert's HTML, whoever makes it:

    c.HTMLExporter.sanitize_html = True
    c.HTMLExporter.filters = {"markdown2html": "gradebox.harmless.markdown", "clean_html": "gradebox.harmless.clean"}
    c.HTMLExporter.preprocessors = ["gradebox.harmless.HarmlessOutputs"]

nbconvert's own `clean_html` takes headings, paragraphs and pictures for dangerous and shows them as code; its
templates put some outputs into a page as they are.
"""

import base64
import html
import re
from functools import cache
from typing import Any

from bleach.css_sanitizer import CSSSanitizer
from bleach.sanitizer import Cleaner
from bs4 import BeautifulSoup
from jinja2 import pass_context
from markupsafe import Markup
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import List

__all__ = ["HarmlessOutputs", "clean", "markdown"]

TEXT = (
    "a abbr b blockquote br caption cite code col colgroup dd del div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr "
    "i img ins kbd li mark ol p pre q s samp small span strong sub sup table tbody td tfoot th thead tr tt u ul var"
)
TAGS = frozenset(TEXT.split())
SILENT = ("script", "style", "template", "noscript", "iframe", "object", "math", "svg", "head", "title", "textarea")
ATTRIBUTES = {
    "a": ("href", "title"),
    "img": ("src", "alt", "title"),
    "ol": ("start",),
    "td": ("colspan", "rowspan"),
    "th": ("colspan", "rowspan", "scope"),
}
# Classes that Pygments and pandas give, and none that a page gives meaning to.
HIGHLIGHTED = re.compile(r"highlight|hl-[a-z0-9]+|dataframe|[a-z][a-z0-9]{0,2}")
PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*")
PICTURES = ("image/png", "image/jpeg")
TEXTS = ("text/plain", "text/html", "text/markdown", "text/latex")
MAX_BYTES = 1_000_000  # of one HTML or Markdown text: cleaning takes about a second for so much
MAX_ALT = 400  # characters of a picture's description
MAX_PIXELS = 5000  # of a picture's width or height on the page
NOT_SHOWN = "[an output that no page shows: {}]"
TOO_LONG = "[a text of {:,} characters is left out here]"


def clean(text: object) -> str:
    """The HTML without anything but text, its structure, links, and pictures that it holds itself."""
    source = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    if len(source) > MAX_BYTES:
        return html.escape(TOO_LONG.format(len(source)))
    try:
        return _cleaner().clean(_without_silent(source))
    except Exception:  # a parser meets a stranger's text with any exception there is
        return f"<pre>{html.escape(source)}</pre>"


@pass_context
def markdown(context: Any, source: str) -> Markup:
    """Markdown as harmless HTML. A filter of nbconvert's templates, in the place of `markdown2html`."""
    cell = context.get("cell", {})
    attachments = cell.get("attachments", {}) if isinstance(cell, dict) else {}
    if len(source) > MAX_BYTES:
        return Markup(f"<p>{html.escape(TOO_LONG.format(len(source)))}</p>")
    try:
        rendered = _renderer().markdown2html({"cell": {"attachments": _embeddable(attachments, source)}}, source)
    except Exception:
        rendered = f"<pre>{html.escape(source)}</pre>"
    return Markup(clean(rendered))


@cache
def _renderer() -> HTMLExporter:
    return HTMLExporter(exclude_anchor_links=True)


@cache
def _cleaner() -> Cleaner:
    return Cleaner(
        tags=TAGS,
        attributes=_is_allowed,
        protocols=("http", "https", "mailto", "data"),
        strip=True,
        css_sanitizer=CSSSanitizer(allowed_css_properties=["text-align"]),
    )


def _is_allowed(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return all(HIGHLIGHTED.fullmatch(each) for each in value.split())
    if name == "style":
        return tag in ("td", "th")
    if name == "src":
        return tag == "img" and PICTURE.fullmatch(value) is not None
    if name == "href":
        return tag == "a" and re.match(r"(https?|mailto):", value.strip(), re.I) is not None
    return name in ATTRIBUTES.get(tag, ())


def _without_silent(source: str) -> str:
    """The HTML without the elements whose content is no text for a reader; `clean` decides about all others."""
    if not re.search(f"<({'|'.join(SILENT)})", source, re.I):
        return source
    soup = BeautifulSoup(source, "html.parser")
    for element in soup.find_all(SILENT):
        element.decompose()
    return str(soup)


def _embeddable(attachments: Any, source: str) -> dict[str, Any]:
    """A cell's attachments, and an empty one for each that its text names and the cell lacks."""
    held = {name: each for name, each in attachments.items() if isinstance(each, dict) and each}
    named = re.findall(r"attachment:([^\s)\"'>]+)", source)
    return {name: {"image/png": ""} for name in named} | held


class HarmlessOutputs(NbGraderPreprocessor):
    """Leaves of a notebook's outputs what a page can show without harm: text, harmless HTML, and pictures.

    Scripts, widgets, diagrams that a script draws and whatever else a browser would have to run are dropped, and of
    an output's metadata all but a picture's size and description stays behind.
    """

    display_data_priority = List(help="Not used; nbconvert sets it for every preprocessor.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Clean a notebook's outputs. Called by the exporter, before the notebook is rendered."""
        nb.metadata.pop("widgets", None)  # the state of its widgets, of which none is shown
        return super().preprocess(nb, resources)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Clean one cell's outputs. Called by `preprocess`, for each."""
        for output in cell.get("outputs", ()):
            if "data" in output:
                output.data = NotebookNode(_harmless(output.data))
                output.metadata = NotebookNode(_sizes(output.get("metadata", {})))
        return cell, resources


def _harmless(data: dict[str, Any]) -> dict[str, str]:
    shown = {kind: str(data[kind]) for kind in TEXTS if kind in data}
    if "text/html" in shown:
        shown["text/html"] = clean(shown["text/html"])
    for kind in PICTURES:
        if kind in data and (content := _as_base64(data[kind])):
            shown[kind] = content
    if drawing := data.get("image/svg+xml"):
        shown["image/svg+xml"] = str(drawing)  # templates show it as a picture, in which nothing runs
    return shown or {"text/plain": NOT_SHOWN.format(", ".join(data)[:MAX_ALT])}


def _as_base64(content: Any) -> str:
    text = "".join(str(content).split())
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return ""
    return text


def _sizes(metadata: Any) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for kind in PICTURES:
        given = metadata.get(kind)
        if isinstance(given, dict):
            sizes = {name: given[name] for name in ("width", "height") if _is_size(given.get(name))}
            alt = {"alt": str(given["alt"])[:MAX_ALT]} if given.get("alt") else {}
            kept[kind] = sizes | alt
    return kept


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and 0 < value <= MAX_PIXELS
