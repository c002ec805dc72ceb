"""The code of docs/extending.md, and how it is put in its place for the time of a test."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, invalidate_caches
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")


def code(section: str) -> list[str]:
    """The blocks of code of a section, in order."""
    found = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE)
    assert found, section
    return re.findall(r"```python\n(.*?)```", found[1], re.DOTALL)


@contextmanager
def line_in(module: str, name: str, line: str) -> Iterator[None]:
    """Let a line count as the last one of a registry, a list of a module."""
    home = import_module(module)
    registry = getattr(home, name)
    registry.append(eval(line.strip().rstrip(","), dict(vars(home))))  # noqa: S307  a line of our own documentation
    try:
        yield
    finally:
        registry.pop()


@contextmanager
def files_in(package: str, folder: Path, files: dict[str, str]) -> Iterator[None]:
    """Let files count as those of a package, as if they lay in its folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    home, known = import_module(package), set(sys.modules)
    home.__path__.append(str(folder))
    invalidate_caches()
    try:
        yield
    finally:
        home.__path__.remove(str(folder))
        for name in [name for name in sys.modules if name.startswith(f"{package}.") and name not in known]:
            where = getattr(sys.modules[name], "__file__", None) or ""
            if Path(where).is_relative_to(folder):
                del sys.modules[name]
                parent, _, own = name.rpartition(".")
                vars(import_module(parent)).pop(own, None) if parent in sys.modules else None
