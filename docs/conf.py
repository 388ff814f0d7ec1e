"""The site: Sphinx, MyST-NB and furo, over the files of this folder and the course's own notebooks.

`make docs` builds it into `build/site`, without a network; no page loads anything from another host.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))
os.environ["AUGCOURSE_DATASET"] = "mnist_sample"  # as for all committed solutions

project = "Data Augmentation in Deep Learning with TensorFlow"
author = "the authors of the course"
html_title = "Data Augmentation"
language = "en"

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "myst_nb", "site_hooks"]
exclude_patterns = ["_ext"]

# Lessons and solutions come from the notebooks that their files name; only a slider's figure is made by running one.
nb_custom_formats = {
    ".lesson": ["notebook_pages.lesson", {}, False],
    ".solution": ["notebook_pages.solution", {}, False],
}
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # no widget scripts, which would come from another host
nb_merge_streams = True
myst_enable_extensions = ["fieldlist"]
myst_heading_anchors = 3

# The reference comes from the docstrings, which are Markdown.
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_maximum_signature_line_length = 88
add_module_names = False

html_theme = "furo"
html_favicon = "_static/icon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_domain_indices = False
html_show_sourcelink = False
html_show_copyright = False
