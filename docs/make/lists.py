"""What is added to pages: lists of the pages below them, and to pages of statistics what their declarations say."""

import re
from pathlib import Path

from matlens.microstructure import statistics
from matlens.runs.citations import bibtex

DOCS = Path(__file__).parents[1]
_BELOW = {"decisions/README": "0*", "statistics/README": "*"}


def complete(app, page, text):
    """Add to the source of a page what GitHub need not show."""
    if page in _BELOW:
        text[0] += f"\n```{{toctree}}\n:hidden:\n:glob:\n\n{_BELOW[page]}\n```\n"
    folder, _, name = page.rpartition("/")
    if folder == "statistics" and name in statistics.STATISTICS:
        text[0] += _declared(name)


def _declared(name):
    """Write variables with units, functions, cost and sources, from the declaration of a statistic."""
    (statistic,) = statistics.find_statistics([name])
    schema = (DOCS / "statistics_schema.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in schema if line.startswith("| `") and line.endswith(f"| `{name}` |")]
    if len(rows) != len(statistic.variables):
        raise ValueError(f"docs/statistics_schema.md has {len(rows)} rows of {name}, its declaration more or fewer")
    module = statistics.STATISTICS[name].partition(":")[0]
    functions = [
        f"{{py:obj}}`matlens.microstructure.statistics.{each}`"
        for each in statistics.__all__
        if getattr(getattr(statistics, each), "__module__", None) == module
    ]
    seconds, memory = statistics.cost([name], (1024, 1024), 2)
    sources = ", ".join(map(_reference, statistic.cites))
    cost = f"about {max(seconds, 0.01):.2g} s and {memory / 1e6:.0f} MB" if memory else "nothing: it is of volumes only"
    return f"""
## What is measured

| variable | dimensions | units | meaning | statistic |
|---|---|---|---|---|
{chr(10).join(rows)}

U is the unit of length of the file ([schema](../statistics_schema.md)).

- On the command line: `matlens characterize FILE --statistics {name}`
- In Python: {", ".join(functions)}
- A picture of 1024 x 1024 pixels with two phases costs {cost}.
- Source: {sources}
"""


def _reference(key):
    fields = dict(re.findall(r"(\w+)\s*=\s*\{(.*)\},?\n", bibtex([key])))
    names = [name.partition(",")[0] for name in fields["author"].split(" and ")]
    author = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
    place = fields.get("journal") or fields.get("booktitle") or fields.get("publisher", "")
    volume = f" {fields['volume']}, {fields['pages']}" if {"volume", "pages"} <= set(fields) else ""
    title = re.sub(r"[{}]", "", fields["title"])
    return f"{author}, *{title}*, {place}{volume} ({fields['year']})".replace('{\\"u}', "ü").replace("--", "–")
