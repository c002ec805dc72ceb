"""A verdict that was shown when it was known is not printed again below."""

import sys

import pytest

from matlens.cli.work import _unsaid


@pytest.mark.parametrize(("screens", "left"), [((True, True), ["results"]), ((True, False), ["verdict", "results"])])
def test_what_stands_on_the_terminal_is_not_printed_twice(monkeypatch, screens, left):
    for stream, screen in zip((sys.stdout, sys.stderr), screens):
        monkeypatch.setattr(stream, "isatty", lambda screen=screen: screen)
    assert _unsaid(["verdict", "results"], ["verdict"]) == left
