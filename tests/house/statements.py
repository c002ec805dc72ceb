"""Count the statements of ``src`` as its syntax trees hold them: ``python tests/house/statements.py [COMMIT ...]``.

Docstrings and comments do not count, so that explaining more does not look like more program. Without arguments the
working tree is set beside the last commit before the two sides were made.
"""

import ast
import io
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
BEFORE_THE_MOVE = "50c80fcb763521f90cde93ea842b02c0996d8bba"
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def statements(source: str) -> int:
    """Statements of a file, docstrings left out."""
    nodes = list(ast.walk(ast.parse(source)))
    documented = (isinstance(node, Documented) and ast.get_docstring(node) is not None for node in nodes)
    return sum(isinstance(node, ast.stmt) for node in nodes) - sum(documented)


def of_tree(root: Path = ROOT) -> int:
    return sum(statements(path.read_text(encoding="utf-8")) for path in (root / "src").rglob("*.py"))


def of_commit(commit: str) -> int:
    packed = subprocess.run(["git", "archive", commit, "src"], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        files = (archive.extractfile(member) for member in archive if member.name.endswith(".py"))
        return sum(statements(file.read().decode()) for file in files if file is not None)


if __name__ == "__main__":
    now = of_tree()
    print(f"{now:7d}  working tree")  # noqa: T201
    for commit in sys.argv[1:] or [BEFORE_THE_MOVE]:
        try:
            then = of_commit(commit)
        except subprocess.CalledProcessError:
            print(f"      ?  {commit[:12]} is not in this clone")  # noqa: T201
            continue
        print(f"{then:7d}  {commit[:12]}; the working tree has {100 * (now / then - 1):+.1f} %")  # noqa: T201
