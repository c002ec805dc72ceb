"""Check files before a commit: ``python tests/house/text_files.py FILE ...``, without files all that git knows.

Text ends with one line end, has no spaces before line ends (two make a break in Markdown), no carriage returns and no
marks of an unfinished merge. Files above 1 MB do not belong into the repository.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LARGEST = 1_000_000  # bytes
MARKS = (b"<" * 7 + b" ", b">" * 7 + b" ")


def faults(path: Path) -> Iterator[str]:
    """What is wrong with a file."""
    content = path.read_bytes()
    if len(content) > LARGEST:
        yield f"{path}: larger than {LARGEST} bytes"
    if b"\0" in content or not content:
        return
    if not content.endswith(b"\n") or content.endswith(b"\n\n"):
        yield f"{path}: must end with exactly one line end"
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.endswith(b"\r"):
            yield f"{path}:{number}: carriage return"
        elif line != line.rstrip() and not (path.suffix == ".md" and line.endswith(b"  ")):
            yield f"{path}:{number}: spaces before the line end"
        if line.startswith(MARKS):
            yield f"{path}:{number}: mark of an unfinished merge"


def of_repository() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


if __name__ == "__main__":
    found = [fault for path in map(Path, sys.argv[1:] or of_repository()) for fault in faults(path)]
    print("\n".join(found), end="\n" if found else "")  # noqa: T201
    sys.exit(bool(found))
