"""Example reports: short runs on examples that MatLens makes, whose reports the site holds as they are."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "made" / "reports"  # what is below `made` is copied to the top of the site
RUNS = {
    "reconstruct": "reconstruct gravel.tif --shape 64x64 -n 2 --preset fast",
    "homogenize": "homogenize particles.tif --conductivity 0=1.0,1=50 --unit W/(m*K)",
    "library": "library learn blend.csv --target conductivity --transform log10 --model ensemble --models 4 "
    "--scoring-models 4 --held-out grouped --folds 2 --baselines ridge",
}


def write(app):
    """Make the reports that are not there yet; a run that fails fails the site."""
    page = (FOLDER.parents[1] / "reports.md").read_text(encoding="utf-8")
    if unsaid := [run for run in RUNS.values() if f"`matlens {run}`" not in page]:
        raise ValueError(f"docs/reports.md does not have the command: matlens {unsaid[0]}")
    missing = [name for name in RUNS if not (FOLDER / f"{name}.html").is_file()]
    with tempfile.TemporaryDirectory() as folder:
        for name in missing:
            words = RUNS[name].split()
            example = next(word for word in words if word.endswith((".tif", ".csv")))
            for command in (["fetch", example.partition(".")[0]], [*words, "-o", name]):
                subprocess.run(
                    [sys.executable, "-m", "matlens", *command, "--quiet"],
                    cwd=folder,
                    check=True,
                    stdout=subprocess.DEVNULL,
                )
            shutil.copy(Path(folder) / name / "report.html", FOLDER / f"{name}.html")
