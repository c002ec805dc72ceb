"""Known debts: lists of what does not follow a rule of the house yet, which may only shrink.

A new offender fails the tests, and so does a listed one that is gone: ``python tests/house/baseline.py`` strikes out
the latter.
The command never adds anything.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import circles
import docstrings
import phrases

FOLDER = Path(__file__).parent / "baselines"
RULES: dict[str, Callable[[], Iterable[str]]] = {
    "circles": circles.in_circles,
    "docstrings": docstrings.missing_sections,
    "phrases": phrases.phrases_found,
}


def listed(name: str) -> set[str]:
    path = FOLDER / f"{name}.txt"
    return set(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else set()


def shrink(name: str, found: Iterable[str]) -> int:
    """Strike out what is no longer found, and return how much is left; a list without entries goes."""
    left = sorted(listed(name) & set(found))
    path = FOLDER / f"{name}.txt"
    if left:
        path.write_text("".join(f"{line}\n" for line in left), encoding="utf-8")
    else:
        path.unlink(missing_ok=True)
    return len(left)


if __name__ == "__main__":
    for rule, find in RULES.items():
        print(f"{rule}: {shrink(rule, find())} left")  # noqa: T201
