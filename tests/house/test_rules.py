"""Rules of the house that syntax trees and docstrings show: no import circles, whole docstrings, plain words."""

import subprocess
from pathlib import Path

import baseline
import pytest
from circles import circles, imports, modules
from docstrings import has_section, wanted_sections
from phrases import phrases_found
from statements import statements
from text_files import faults, of_repository


@pytest.mark.parametrize("rule", baseline.RULES)
def test_nothing_new_against_a_rule(rule: str) -> None:
    found, known = set(baseline.RULES[rule]()), baseline.listed(rule)
    assert not found - known, "new offenders: " + "\n".join(sorted(found - known))
    assert not known - found, "gone, so strike them out (python tests/house/baseline.py): " + "; ".join(known - found)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("def lazy():\n    from p.first import one", [["p.first", "p.second"]]),
        ("def lazy():\n    import p.first", [["p.first", "p.second"]]),
        ("from .first import one", [["p.first", "p.second"]]),
        ("from p import one", [["p.first", "p.second"]]),  # the face takes it from p.first
        ("from p import third", []),
    ],
)
def test_circles_are_found(tmp_path: Path, second: str, expected: list[list[str]]) -> None:
    package = tmp_path / "p"
    package.mkdir()
    texts = {
        "__init__.py": "",
        "__init__.pyi": "from .first import one as one",
        "first.py": "import p.second\none = 1",
        "second.py": second,
        "third.py": "",
    }
    for name, text in texts.items():
        (package / name).write_text(text, encoding="utf-8")
    assert circles(imports(modules(tmp_path))) == expected


def test_sections_are_found() -> None:
    def whole(x: int) -> int:
        """Return x.

        Parameters
        ----------
        x
        """
        return x

    assert list(wanted_sections(whole)) == ["Parameters", "Returns", "Examples"]
    assert list(wanted_sections(ValueError)) == []
    assert [has_section("A\n\nYields\n------\nx", section) for section in ("Returns", "Examples")] == [True, False]


def test_phrases_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('def f():\n    """Told how  far it is."""\n', encoding="utf-8")
    assert list(phrases_found(tmp_path)) == ['"""Told how far it is."""']
    (tmp_path / "a.py").write_text('f"Of {n} samples"\n"Two of them"\n"It is said."\n', encoding="utf-8")
    assert list(phrases_found(tmp_path)) == ['f"Of {n} samples"', '"It is said."']


def test_docstrings_are_no_statements() -> None:
    assert statements('"""A module."""\n\ndef f():\n    """A function."""\n    return 1  # a comment\n') == 2


def test_a_list_of_debts_only_shrinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline, "FOLDER", tmp_path)
    (tmp_path / "phrases.txt").write_text("a\nb\n", encoding="utf-8")
    assert baseline.shrink("phrases", ["b", "c"]) == 1
    assert baseline.listed("phrases") == {"b"}
    assert baseline.shrink("phrases", []) == 0
    assert not (tmp_path / "phrases.txt").exists()


def test_text_files_are_tidy(tmp_path: Path) -> None:
    try:
        files = of_repository()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a clone of the repository")
    assert not [fault for path in files for fault in faults(path)]
    (tmp_path / "a.txt").write_bytes(b"one \ntwo\r\n" + b"<" * 7 + b" HEAD\n\n")
    assert [fault.rpartition(": ")[2] for fault in faults(tmp_path / "a.txt")] == [
        "must end with exactly one line end",
        "spaces before the line end",
        "carriage return",
        "mark of an unfinished merge",
    ]
