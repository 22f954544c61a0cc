"""Sphinx's settings for the catalogue site: Markdown in, nothing fetched from anywhere, every broken link an error."""

project = "MetIP Hub"
author = "MetIP Hub"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns: list[str] = []
html_theme = "furo"
html_title = "MetIP Hub"
html_copy_source = False
html_show_sphinx = False
html_extra_path = ["openapi.json"]
# Every heading of a page can be linked to, as it can where the pages are read as files.
myst_heading_anchors = 4
myst_enable_extensions: list[str] = []
# Headings of the pages that people wrote may skip a level; diagrams and shells are not programs that can be coloured.
suppress_warnings = ["myst.header", "misc.highlighting_failure"]
nitpicky = False
smartquotes = False
