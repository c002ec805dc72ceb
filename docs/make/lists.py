"""What Sphinx must know of a page and GitHub need not show."""

_DECISIONS = """
```{toctree}
:hidden:
:glob:

0*
```
"""


def complete(app, page, text):
    """Add the list of pages below a page."""
    if page == "decisions/README":
        text[0] += _DECISIONS
