"""Sphinx hooks: what a page says besides its file: docstrings, the commands' help, titles of tables, links to names."""

from __future__ import annotations

import re
import shutil
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import typer
from docutils import nodes  # type: ignore[import-untyped]
from myst_parser.parsers.sphinx_ import MystParser
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective, new_document
from traitlets import TraitType
from typer.cli import get_docs_for_click

from augcourse.start import begin

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK_PAGES = (".lesson", ".solution")
NAME = re.compile(r"[A-Za-z_][\w.]*(?:\(\))?")
OWN_NAME = re.compile(r"(?:augcourse|gradebox)(?:\.\w+)+(?:\(\))?")
UNLINKED = (nodes.reference, nodes.title, addnodes.pending_xref)
TREE = re.compile(r"^.+\n[├└].*(?:\n[ │├└].*)*\n?", re.M)


class MarkdownDocstring(SphinxDirective):
    """Parses its content as Markdown, inside of what autodoc writes as reStructuredText."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        document = new_document(self.get_source_info()[0], self.state.document.settings)
        MystParser().parse("\n".join(self.content), document)
        _link_names(document, NAME, self.env.ref_context)
        return document.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx, once, before it reads a page."""
    app.add_directive("markdown-docstring", MarkdownDocstring)
    app.connect("builder-inited", _start_quietly)
    app.connect("source-read", _read_source)
    app.connect("autodoc-process-docstring", _as_markdown, priority=900)  # after napoleon
    app.connect("doctree-read", _finish_page, priority=400)  # before downloads are collected
    app.connect("build-finished", _copy_samples)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _start_quietly(_app: Sphinx) -> None:
    """Import TensorFlow without its greeting, and prepare the digits that a figure needs."""
    begin("the site")


def _read_source(app: Sphinx, page: str, content: list[str]) -> None:
    """A page changes with its notebook, a table gets a title, and `help: COMMAND` is what that command's help says."""
    if app.env.doc2path(page).suffix in NOTEBOOK_PAGES:
        notebook = Path(content[0].strip())
        for needed in (notebook, "solutions" / Path(*notebook.parts[1:]), "docs/_ext/notebook_pages.py"):
            app.env.note_dependency(ROOT / needed)
    elif page.startswith("results/"):
        content[0] = f"# {page.removeprefix('results/').capitalize()}\n\n{content[0]}"
    content[0] = re.sub(r"<!-- help: (\w+) -->", lambda match: _help(app, match[1]), content[0])


def _help(app: Sphinx, command: str) -> str:
    module = import_module(f"{command}.cli")
    app.env.note_dependency(str(module.__file__))
    parsed = typer.main.get_command(module.app)
    return get_docs_for_click(obj=parsed, ctx=typer.Context(parsed, info_name=command), name=command, indent=1)


def _as_markdown(_app: Sphinx, what: str, _name: str, item: Any, _options: object, lines: list[str]) -> None:
    if what == "module":
        lines += ["", *_constants(item)]
    if isinstance(item, TraitType):
        lines[:] = [f"{item.help or ''} Default: `{item.default()!r}`."]
    text = TREE.sub(lambda tree: f"```text\n{tree[0].rstrip()}\n```\n", "\n".join(lines))
    if text.strip():
        lines[:] = [".. markdown-docstring::", "", *("   " + line for line in text.splitlines()), ""]


def _constants(module: ModuleType) -> list[str]:
    """The public names that say nothing of themselves, with what they hold if that is short."""
    said = {name for _, name in ModuleAnalyzer.for_module(module.__name__).find_attr_docs()}
    names = [name for name in getattr(module, "__all__", ()) if name not in said]
    values = [(name, repr(value)) for name in names if not callable(value := getattr(module, name))]
    return [f"- `{name}` = `{value}`" if len(value) <= 80 else f"- `{name}`" for name, value in values]


def _finish_page(_app: Sphinx, document: nodes.document) -> None:
    _link_names(document, OWN_NAME, {})
    for link in document.findall(addnodes.pending_xref):
        if link.get("refdomain") == "py":
            link["reftarget"] = _full_name(link.get("py:module"), link["reftarget"])
    for node in list(document.findall(addnodes.download_reference)):
        if node["reftarget"].startswith("samples/"):  # opened, not saved
            node.replace_self(nodes.reference("", "", *node.children, refuri=node["reftarget"], internal=True))


def _link_names(document: nodes.Element, pattern: re.Pattern[str], context: dict[str, Any]) -> None:
    """Code that is a name becomes a link to it, where the reference has that name."""
    for literal in list(document.findall(nodes.literal)):
        if pattern.fullmatch(literal.astext()) and not isinstance(literal.parent, UNLINKED):
            link = addnodes.pending_xref(
                "",
                refdomain="py",
                reftype="obj",
                reftarget=literal.astext().removesuffix("()"),
                refwarn=False,
                **{key: context.get(key) for key in ("py:module", "py:class")},
            )
            literal.replace_self(link)
            link += literal


def _full_name(module: str | None, name: str) -> str:
    """A name as Python finds it in a module: what is imported there is documented where it is defined."""
    found = getattr(sys.modules.get(module or ""), name, None)
    home = getattr(found, "__module__", "")
    return f"{home}.{found.__qualname__}" if OWN_NAME.fullmatch(home or "") and isinstance(found, type) else name


def _copy_samples(app: Sphinx, error: Exception | None) -> None:
    if error is None:
        shutil.copytree(Path(app.srcdir) / "samples", Path(app.outdir) / "samples", dirs_exist_ok=True)
