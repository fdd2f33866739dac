"""Settings of the documentation site: `make docs` builds it into build/site."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

from scripts import gallery_settings  # noqa: E402

import fastnn.callbacks  # noqa: E402
import fastnn.many  # noqa: E402
import fastnn.sklearn  # noqa: E402  # before PyTorch is mocked: SciPy asks whether arrays are its tensors

project, author = "fastnn", "the authors of fastnn"
copyright = author
release = version = fastnn.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
    "plain_docstrings",
    "repository_links",
]
exclude_patterns = [
    "_*",
    "generated/scripts",
    "sg_execution_times.rst",
    "gallery/**/*.ipynb",
    "gallery/**/*.py",
    "gallery/sg_execution_times.rst",
]
templates_path = ["_templates"]
suppress_warnings = ["config.cache"]  # the settings of the gallery hold a regular expression and a class

# -- pages: Markdown, as it reads on GitHub ----------------------------------------------------------------------------

source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
# Plain highlighting for `py`: what a page does not run, because it needs a partner.
highlight_language = "none"

# -- the reference: every public name, from its docstring --------------------------------------------------------------

autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_imported_members = True
# Classes that `fastnn` has of a room that has a page too: there they are described, here is a link.
autosummary_context = {
    "aliases": {
        f"fastnn.{name}": f"{room.__name__}.{name}"
        for room in (fastnn.callbacks, fastnn.many)
        for name in room.__all__
        if isinstance(getattr(room, name), type) and hasattr(fastnn, name)
    }
}
autodoc_mock_imports = ["torch", "keras", "jax", "thinc"]  # large, and nothing of them runs here
autodoc_typehints = "none"  # numpydoc's sections have the types
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False
default_role = "code"  # docstrings write names in single backticks

# -- examples ----------------------------------------------------------------------------------------------------------

sphinx_gallery_conf = gallery_settings(HERE)

# -- looks -------------------------------------------------------------------------------------------------------------

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "../fastnn/playground/static/icon.svg"
html_title = f"fastnn {release}"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}
