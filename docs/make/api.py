"""Pages of the Python interface, from the faces of the packages: one for each public name, one for each package."""

import importlib
import inspect
import re
from pathlib import Path

DOCS = Path(__file__).parents[1]
SRC = DOCS.parent / "src"
GROUPS = {  # names of `matlens`, by the module that defines them and their own
    "Micrographs and volumes": r"api\.segment|microstructure\.(structure|large|segmentation|io)",
    "Reconstruction": r"microstructure\.(reconstruction|pruning)",
    "Statistics and verdicts": r"microstructure\.statistics",
    "Effective properties, and properties from few samples": r"api\.explain|microstructure\.(physics|properties)",
    "Libraries": r"library",
    "Errors": r"errors",
}


def write(app):
    """Write the pages into the folder ``api``; one that is there already stays, so that it is not read anew."""
    top = importlib.import_module("matlens")
    seen, pages = set(), {}
    groups = {title: [] for title in GROUPS}
    for name in sorted(top.__all__, key=str.lower):
        value = getattr(top, name)
        if inspect.ismodule(value) or isinstance(value, str):
            continue
        seen.add(id(value))
        place = f"{value.__module__}.{name}".removeprefix("matlens.")
        groups[next(title for title, pattern in GROUPS.items() if re.match(pattern, place))].append(name)
        pages[f"matlens.{name}"] = _entry("matlens", name, value, title=True)
    packages = []
    for face in faces():
        module = importlib.import_module(face)
        entries = [
            _entry(face, name, value)
            for name in sorted(module.__all__, key=str.lower)
            if not inspect.ismodule(value := getattr(module, name)) and id(value) not in seen and callable(value)
            if seen.add(id(value)) is None
        ]
        if entries:
            packages.append(face)
            pages[face] = "\n".join([_title(face), f".. automodule:: {face}\n   :no-index:\n", *entries])
    pages["index"] = _index(groups, packages)
    folder = DOCS / "api"
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.rst"):
        if path.stem not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def faces():
    """Packages that have a face, without the top, the shallow ones first: a name stands under its shortest path."""
    found = (path.relative_to(SRC).parts[:-1] for path in SRC.rglob("__init__.pyi"))
    return sorted((".".join(parts) for parts in found if parts[1:]), key=lambda name: (name.count("."), name))


def _title(text):
    return f"{text}\n{'=' * len(text)}\n"


def _entry(face, name, value, title=False):
    kind = "autofunction"
    if isinstance(value, type):
        kind = "autoexception" if issubclass(value, BaseException) else "autoclass"
    head = _title(f"{face}.{name}") + "\n" if title else ""
    return f"{head}.. {kind}:: {face}.{name}\n" + ("   :members:\n" if kind == "autoclass" else "")


def _index(groups, packages):
    lines = [
        _title("Python interface"),
        "``import matlens as ml`` loads nothing heavy; a name loads what it needs when it is first used. Where a",
        "function takes a microstructure, the path of a file or a NumPy array will do.\n",
    ]
    for title, names in groups.items():
        lines += [title, "-" * len(title), "", ".. autosummary::", "   :nosignatures:", ""]
        lines += [*(f"   ~matlens.{name}" for name in names), ""]
    lines += ["Packages", "--------", "", "What the functions above are made of, by package.", ""]
    lines += [".. autosummary::", "   :nosignatures:", "", *(f"   {name}" for name in packages), ""]
    listed = [f"   matlens.{name}" for names in groups.values() for name in names] + [f"   {name}" for name in packages]
    return "\n".join([*lines, ".. toctree::", "   :hidden:", "", *listed, ""])


_LITERAL = re.compile(r"(`+[^`]*`+)")


def escape(app, what, name, value, options, lines):
    """Let ``|t|`` and ``a * b`` of a sentence stand as they are, for docstrings are written to be read as text."""
    if what in ("attribute", "property") and lines:  # "type: sentence", where a type in words is no name to link to
        kind, colon, sentence = lines[0].partition(": ")
        lines[0] = f"{sentence} ({kind})" if colon else kind
    example = False
    for number, line in enumerate(lines):
        example = bool(line.strip()) and (example or line.lstrip().startswith(">>>"))
        if not example:
            parts = _LITERAL.split(line)
            parts[::2] = [re.sub(r"([|*])", r"\\\1", part) for part in parts[::2]]
            lines[number] = "".join(parts)


def skip(app, what, name, value, skipped, options):
    """Leave out what scikit-learn adds to every estimator."""
    return True if re.fullmatch(r"set_\w+_request|get_metadata_routing", name) else None
