"""The report of ``matlens draws``."""

from matlens.report.parts import Page

PAGE = Page("Draws", lambda run: "", (), lambda run: ())
