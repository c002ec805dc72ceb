"""One self-contained HTML file out of a run directory."""

from matlens.report.build import build_report, headlines

__all__ = ["build_report", "headlines"]
