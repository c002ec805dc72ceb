"""Import circles between files of ``src``, from the syntax trees alone: ``python tests/house/circles.py``.

An import counts wherever it stands, also inside a function. A name from a package's face (``__init__.pyi``) counts as
an import of the file that defines it, since that file is what runs. Imports for type checking only count too: two files
that need each other's types are one concept. Exits with 1 where a circle is found.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"


def modules(src: Path) -> dict[str, Path]:
    """Every module by its dotted name; a package's name stands for its ``__init__.py``."""
    names = {".".join(path.relative_to(src).with_suffix("").parts): path for path in sorted(src.rglob("*.py"))}
    return {name.removesuffix(".__init__"): path for name, path in names.items()}


def imported(path: Path, package: str) -> Iterator[tuple[str, str, str]]:
    """Module, name taken from it ("" for a plain import) and the name it goes by, for each import of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "", alias.asname or alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            yield from ((module, alias.name, alias.asname or alias.name) for alias in node.names)


def faces(files: dict[str, Path]) -> dict[tuple[str, str], tuple[str, str]]:
    """(package, public name) -> (module that the face takes it from, its name there)."""
    stubs = {name: path.with_suffix(".pyi") for name, path in files.items() if path.with_suffix(".pyi").is_file()}
    return {
        (package, shown): (module, name)
        for package, path in stubs.items()
        for module, name, shown in imported(path, package)
    }


def imports(files: dict[str, Path]) -> dict[str, set[str]]:
    """For each module the modules whose files it imports."""
    face = faces(files)

    def target(module: str, name: str) -> str | None:
        while (module, name) in face:
            module, name = face[module, name]
        submodule = f"{module}.{name}"
        return submodule if submodule in files else module if module in files else None

    def of(own: str, path: Path) -> set[str]:
        package = own if path.name == "__init__.py" else own.rpartition(".")[0]
        found = {target(module, name) for module, name, _ in imported(path, package)}
        # A package's file without a face holds a docstring alone, so that nothing can go wrong on its way.
        return {other for other in found if other is not None and other != own}

    return {own: of(own, path) for own, path in files.items()}


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules of which each reaches every other one."""

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        todo = list(edges[start])
        while todo:
            if (step := todo.pop()) not in seen:
                seen.add(step)
                todo.extend(edges[step])
        return seen

    reached = {name: reach(name) for name in edges}
    groups = {frozenset(o for o in reached[name] if name in reached[o]) for name in edges if name in reached[name]}
    return sorted(sorted(group) for group in groups)


def in_circles() -> Iterator[str]:
    """Every module that imports itself by way of others."""
    yield from (name for group in circles(imports(modules(SRC))) for name in group)


if __name__ == "__main__":
    found = circles(imports(modules(SRC)))
    print("\n".join("circle: " + ", ".join(group) for group in found) or "no import circles")  # noqa: T201
    sys.exit(bool(found))
