"""The outcome of a check as a small panel in a notebook: a tick, or what was expected, what came, and a question.

The same words as plain text go along for where HTML is not shown. Nothing is drawn while a notebook is graded or
validated: there, others read the text.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from jinja2 import Environment

__all__ = ["failed", "is_watched", "passed"]

# JupyterLab's own colours of text and borders, so that a dark theme stays dark; elsewhere, those of the page.
PANEL = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""\
<div role="status" style="border-left: 4px solid {{ '#009E73' if passed else '#D55E00' }}; padding: 0.4em 0.8em; \
color: var(--jp-content-font-color1, inherit); font-family: var(--jp-ui-font-family, sans-serif); max-width: 48em">
{% if passed %}
<strong>✓</strong> {{ text }}
{% elif told %}
<p style="margin: 0"><strong>✗ Not yet:</strong> {{ told["what"] }}</p>
<table style="margin: 0.4em 0; border-collapse: collapse; text-align: left">
{% for name in ("expected", "got", "likely") if name in told %}
<tr style="background: none"><th style="vertical-align: top; padding: 0.1em 1em 0.1em 0; font-weight: normal; \
opacity: 0.8; text-align: left">{{ name }}</th><td style="vertical-align: top; padding: 0.1em 0; \
text-align: left; white-space: pre-wrap; \
overflow-wrap: anywhere">{{ told[name] }}</td></tr>
{% endfor %}
</table>
{% if "ask" in told %}<p style="margin: 0"><em>{{ told["ask"] }}</em></p>{% endif %}
{% if "look at" in told %}<details><summary>Where to look</summary>{{ told["look at"] }}</details>{% endif %}
{% else %}
<p style="margin: 0"><strong>✗ Not yet</strong></p><pre style="white-space: pre-wrap; margin: 0.4em 0; \
font-family: inherit">{{ text }}</pre>
{% endif %}
</div>
""")


def is_watched() -> bool:
    """Whether a person looks at this notebook: it runs in a kernel, and neither grading nor *Validate* runs it."""
    if os.environ.get("NBGRADER_EXECUTION"):
        return False
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


def passed(text: str) -> None:
    """Show a tick with a text."""
    _show(text, PANEL.render(passed=True, text=text))


def failed(text: str, told: Mapping[str, object]) -> None:
    """Show what is not right yet.

    Args:
        text: all of it, as plain text.
        told: its parts, as `checks.CheckFailed` has them; without them the text is shown as it is.
    """
    _show(text, PANEL.render(passed=False, text=text, told={name: str(each) for name, each in told.items()}))


def _show(text: str, html: str) -> None:
    from IPython.display import display

    display({"text/plain": text, "text/html": html}, raw=True)
