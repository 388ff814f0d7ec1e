"""What anyone wrote, on a page that others open: it runs nothing, loads nothing, and still says what it said."""

from __future__ import annotations

import json
import re
import warnings
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config, PyFileConfigLoader

from gradebox.figures import FIGURES_PREFIX
from gradebox.harmless import MAX_BYTES, TAGS, HarmlessOutputs, clean, markdown

from .book_support import gain
from .test_figures import DOTS, graded, line, png

ROOT = Path(__file__).parents[2]
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<a href='javascript:alert(1)'>click</a>",
    "<a href='JaVaScRiPt&#58;alert(1)'>click</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>click</a>",
    "<iframe src='https://tracker.example/'></iframe>",
    "<img src='https://tracker.example/pixel.png'>",
    "<img src='data:text/html;base64,PHNjcmlwdD4='>",
    "<style>body { display: none }</style>",
    "<p style='position: fixed; inset: 0'>covered</p>",
    "<div class='points none' id='points'>Score: 99 / 99</div>",
    "<form action='https://tracker.example/'><button>log in</button></form>",
    "<meta http-equiv='refresh' content='0;url=https://tracker.example/'>",
    "<base href='https://tracker.example/'>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!-- --!><img src=x onerror=alert(1)> -->",
    "<template><script>alert(1)</script></template>",
    "<details open ontoggle=alert(1)>",
    "[click](javascript:alert(1))",
    "![alt](https://tracker.example/pixel.png)",
    "![gone](attachment:gone.png)",
    '<https://tracker.example/"onmouseover=alert(1)>',
    "`<script>alert(1)</script>`",
    "```<script>\nalert(1)\n```",
    "$<img src=x onerror=alert(1)>$",
    "\\begin{a}<script>alert(1)</script>\\end{a}",
)
ATTRIBUTES = {"href", "src", "alt", "title", "start", "colspan", "rowspan", "scope", "class", "style"}


class Found(HTMLParser):
    """Elements and their attributes, as a browser would take them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def assert_harmless(text: str) -> None:
    for tag, attributes in Found(text).tags:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES
        assert re.match(r"(https?|mailto):", attributes.get("href") or "https:")
        assert re.match(r"data:image/[a-z+]+;base64,", attributes.get("src") or "data:image/png;base64,")
        assert (attributes.get("style") or "").replace(" ", "").removeprefix("text-align:") in ("", *ALIGNED)


ALIGNED = ("left;", "right;", "center;")


def rendered(source: str, **cell: object) -> str:
    environment = Environment()
    environment.filters["markdown"] = markdown
    return environment.from_string("{{ text | markdown }}").render(text=source, cell=cell)


@pytest.mark.parametrize("source", HOSTILE)
def test_what_is_hostile_in_html_or_markdown_is_gone(source):
    assert_harmless(clean(source))
    assert_harmless(rendered(source))


@given(st.lists(st.sampled_from([*HOSTILE, "\n\n", "# ", "> ", "- ", "`", "<", "a|b\n-|-\n1|2", "é\x00\udcff"])))
@settings(deadline=None, max_examples=60)
def test_no_mixture_of_it_comes_through(parts):
    assert_harmless(rendered(" ".join(parts)))
    assert_harmless(clean(" ".join(parts)))


def test_text_of_a_script_or_style_is_no_text_for_a_reader():
    assert Found(clean("before <style>td { color: red }</style><script>alert(1)</script> after")).words.split() == [
        "before",
        "after",
    ]


def test_what_a_text_needs_stays():
    source = "# Title\n\n- one\n- **two**\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n[site](https://example.org) `code`"
    tags = [tag for tag, _ in Found(rendered(source)).tags]
    assert {"h1", "ul", "li", "strong", "table", "th", "td", "a", "code"} <= set(tags)
    assert "https://example.org" in rendered(source)


def test_highlighted_code_keeps_its_classes():
    shown = rendered("```python\nreturn 1\n```")
    assert {"highlight", "k"} <= {attributes.get("class") for _, attributes in Found(shown).tags}


def test_a_picture_in_an_attachment_is_shown_and_a_missing_one_stops_nothing():
    held = rendered("![a dot](attachment:dot.png)", attachments={"dot.png": {"image/png": "iVBORw0KGgo="}})
    assert ("img", {"src": "data:image/png;base64,iVBORw0KGgo=", "alt": "a dot"}) in Found(held).tags
    missing: list[dict[str, object]] = [{}, {"gone.png": {}}, {"gone.png": None}]
    for attachments in missing:
        assert "after" in rendered("![gone](attachment:gone.png) after", attachments=attachments)


@pytest.mark.parametrize("source", ["<b>" * 5000, "> " * 5000, "[" * 5000, "<" * 20_000, "x" * (MAX_BYTES + 1)])
def test_a_text_made_to_break_parsers_ends_as_harmless_html(source):
    assert_harmless(clean(source))
    assert_harmless(rendered(source))


OUTPUTS = [
    new_output("display_data", data={"text/html": HOSTILE[0] + "<b>bold</b>"}),
    new_output("display_data", data={"application/javascript": "alert(1)", "text/plain": "plain"}),
    new_output("display_data", data={"text/vnd.mermaid": "</pre><script>alert(1)</script>"}),
    new_output("display_data", data={"application/vnd.jupyter.widget-view+json": {"model_id": "</script>alert(1)"}}),
    new_output(
        "display_data",
        data={"image/png": "iVBORw0KGgo="},
        metadata={"image/png": {"width": "1 onerror=alert(1)", "height": 20, "alt": '"><script>'}},
    ),
    new_output("display_data", data={"image/png": '"><script>alert(1)</script>', "text/plain": "a figure"}),
    new_output("display_data", data={"image/svg+xml": "<svg onload='alert(1)'><script>alert(1)</script></svg>"}),
    new_output("stream", name="stdout", text="<script>alert(1)</script>"),
    new_output("error", ename="<script>", evalue="<script>", traceback=["<script>alert(1)</script>"]),
]


def hostile_notebook() -> nbformat.NotebookNode:
    metadata = {"widgets": {"application/vnd.jupyter.widget-state+json": {"x": "</script><script>alert(1)"}}}
    cells = [
        new_markdown_cell("\n\n".join(HOSTILE)),
        new_code_cell("'<script>alert(1)</script>'", outputs=OUTPUTS, metadata={"tags": ['"><script>']}),
    ]
    kernel = {"kernelspec": {"name": "x", "display_name": "x"}, "language_info": {"name": '"><script>'}}
    return new_notebook(cells=cells, metadata={**kernel, **metadata})


def test_of_outputs_text_and_pictures_stay():
    notebook, _ = HarmlessOutputs().preprocess(hostile_notebook(), {})
    kinds = [set(output.data) for output in notebook.cells[1].outputs if "data" in output]
    assert kinds == [
        *({"text/html"}, {"text/plain"}, {"text/plain"}, {"text/plain"}),
        *({"image/png"}, {"text/plain"}, {"image/svg+xml"}),
    ]
    assert "text/vnd.mermaid" in notebook.cells[1].outputs[2].data["text/plain"]
    picture = notebook.cells[1].outputs[4]
    assert set(picture.metadata["image/png"]) == {"height", "alt"}


def formgraders_page(course: Config, notebook: nbformat.NotebookNode) -> str:
    """A submission as nbgrader's formgrader shows it: with its template, and the course's configuration."""
    own = Config()
    own.HTMLExporter.template_name = "formgrade"
    own.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    own.merge({"HTMLExporter": course.HTMLExporter})
    resources = {"base_url": "", "notebook_id": "n", "assignment_id": "a", "submission_id": "s", "index": 0, "total": 1}
    text, _ = HTMLExporter(config=own).from_notebook_node(notebook, resources)
    return text


def handlers_of(tags: list[tuple[str, dict[str, str | None]]]) -> list[str | None]:
    return [value for _, attributes in tags for name, value in attributes.items() if name.startswith("on")]


def scripts(text: str) -> list[str]:
    return re.findall(r"<script|onerror=|onload=|tracker\.example", text)


@pytest.mark.filterwarnings("ignore:No lexer found")
def test_the_formgrader_shows_a_submission_that_runs_nothing():
    course = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    empty, hostile = new_notebook(), hostile_notebook()
    empty.metadata["kernelspec"] = hostile.metadata["kernelspec"]
    bare = hostile_notebook()  # without what nbconvert itself stops at
    bare.metadata.pop("widgets")
    bare.cells[0].source = bare.cells[0].source.replace("(attachment:gone.png)", "()")
    with warnings.catch_warnings(action="ignore"):  # nbconvert's own, of outputs that it leaves out
        stock = formgraders_page(Config(), bare)
    assert len(scripts(stock)) > len(scripts(formgraders_page(Config(), empty)))
    page = formgraders_page(course, hostile)
    shown = Found(page).tags
    own = Found(formgraders_page(course, empty)).tags
    assert [each for each in shown if each[0] == "script"] == [each for each in own if each[0] == "script"]
    assert handlers_of(shown) == handlers_of(own)
    assert "bold" in page


def test_the_formgrader_shows_figures_and_pictures_and_not_their_lines():
    course = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    text = f"training\n{FIGURES_PREFIX} {json.dumps(gain(4.25, 1.5))}\n{line(png(DOTS))}"
    cell = graded(new_output("stream", name="stdout", text=text))
    cell.metadata["nbgrader"] |= {"points": 1, "locked": True}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python"}}
    page = formgraders_page(course, new_notebook(cells=[cell], metadata=kernel))
    assert "training" in page
    assert "gain over the baseline: 4.25 points, between 2.75 and 5.75; margin 0.5" in page
    assert "gradebox." not in page
    assert ("img", "a row") in [(tag, attributes.get("alt")) for tag, attributes in Found(page).tags]


def test_what_is_dropped_is_not_kept_elsewhere_in_the_notebook():
    notebook, _ = HarmlessOutputs().preprocess(hostile_notebook(), {})
    assert "</pre>" not in json.dumps(notebook.cells)
