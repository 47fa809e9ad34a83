"""Sphinx configuration: python -m sphinx -W -b html docs docs/_build/html."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import bttt  # noqa: E402 - the project is found only now
from docs.make import docstrings, reference  # noqa: E402 - the project is found only now

project = "Brick Tic-Tac-Toe"
author = "the project's contributors"
project_copyright = author
release = bttt.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

default_role = "code"

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["wide.css"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_timeout = 300  # seconds for one cell
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_output_stderr = "remove"  # progress bars, and the news that kernels are compiled

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
maximum_signature_line_length = 88
add_module_names = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False


def setup(app):
    """Writes the pages of the API reference before Sphinx looks for pages."""
    reference.write_pages(ROOT, Path(__file__).parent / "reference")
    docstrings.connect(app)
