"""How Sphinx builds the site: Markdown pages of this folder, tutorials that are run, and docstrings (decision 0058)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "make"))

import api
import links
import lists
import reports

from matlens import __version__

project, author, release = "MatLens", "MatLens contributors", __version__
project_copyright = f"2026, {author}"
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["make/**", "made/**", "tutorials/**", *links.DATA]
root_doc = "index"

myst_heading_anchors = 4  # as GitHub makes them, so that a link works in both places
myst_enable_extensions = ["deflist"]

autodoc_typehints = "none"  # docstrings name types with their shapes
autodoc_member_order = "bysource"
autosummary_generate = False
default_role = "literal"  # docstrings quote with single backticks, too
napoleon_google_docstring = False
# Types are told in words, which are no names to link to.
napoleon_use_param = napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]

sphinx_gallery_conf = {
    "examples_dirs": "tutorials",
    "gallery_dirs": "learn",
    "within_subsection_order": "FileNameSortKey",
    "filename_pattern": r"\.py$",  # all are run
    "abort_on_example_error": True,
    "parallel": 2,
    "image_scrapers": ("tutorials.figures",),
    "reset_modules": (),
    "capture_repr": ("_repr_html_", "__repr__"),
    "ignore_repr_types": r"matplotlib|list|NoneType",
    "doc_module": ("matlens",),
    "reference_url": {"matlens": None},
    "backreferences_dir": None,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 0,
    "write_computation_times": False,  # that page would take scripts from other hosts
    "remove_config_comments": True,
}

html_extra_path = ["made"]
reports.FOLDER.mkdir(parents=True, exist_ok=True)  # before Sphinx looks for it
html_theme = "furo"
html_static_path, html_css_files = ["make/static"], ["site.css"]
html_title = f"MatLens {__version__}"
html_copy_source = html_show_sphinx = False


def setup(app):
    """Connect what writes and changes pages before they are read."""
    app.connect("builder-inited", api.write)
    app.connect("builder-inited", reports.write)
    app.connect("source-read", lists.complete)
    app.connect("source-read", links.to_site)
    app.connect("autodoc-process-docstring", api.escape, priority=400)  # before napoleon
    app.connect("autodoc-skip-member", api.skip)
    app.connect("build-finished", links.check_offline)
