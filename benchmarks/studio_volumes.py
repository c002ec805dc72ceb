"""Seconds that the studio takes to draw a volume in a browser without a graphics card.

    python benchmarks/studio_volumes.py [--sides 128 256 512] [--frames 6]

A bicontinuous structure (two phases, wavelength 16 px, repeated to the side) is opened in chromium with software
rendering. Each frame has 512 x 512 pixels; views go around the volume. The least and the median time are printed, with
both phases shown (rays end at the faces), with one switched off, and with both half transparent.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from matlens.microstructure.problems import bicontinuous

_WAIT = 120_000  # ms


def main() -> None:
    """Measure, and print a row a volume."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="+", default=[128, 256, 512])
    parser.add_argument("--frames", type=int, default=6)
    asked = parser.parse_args()
    from playwright.sync_api import sync_playwright

    tile = bicontinuous((128, 128, 128), seed=0).labels.astype(np.uint8)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        for side in asked.sides:
            np.save(Path(folder) / f"{side}.npy", np.tile(tile, (-(-side // 128),) * 3)[:side, :side, :side])
        line = [sys.executable, "-m", "matlens", "studio", folder, "--no-browser", "--quiet"]
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
                page = browser.new_page(viewport={"width": 1100, "height": 640})
                page.set_default_timeout(_WAIT)
                page.goto(process.stdout.readline().strip())
                page.wait_for_selector(".drop")
                print("side | shown | least (s) | median (s)", flush=True)
                for side in asked.sides:
                    page.goto(f"{page.url.partition('#')[0]}#/space/{side}.npy")
                    page.wait_for_selector(".space canvas[data-ms]")
                    phases = page.locator(".volume .shares input[type=checkbox]")
                    print(side, "| both phases |", _times(page, asked.frames), flush=True)
                    phases.nth(0).uncheck()
                    print(side, "| one phase |", _times(page, asked.frames), flush=True)
                    phases.nth(0).check()
                    for slider in page.locator("[aria-label^=Opacity]").all():
                        slider.fill("50")
                    print(side, "| both, half transparent |", _times(page, asked.frames), flush=True)
                browser.close()
            finally:
                process.kill()


def _times(page: object, frames: int) -> str:
    spent = []
    for _ in range(frames):
        canvas = "document.querySelector('.space canvas')"
        page.evaluate(f"{canvas}.dataset.ms = ''")
        page.focus(".space")
        page.keyboard.press("ArrowLeft")
        page.wait_for_function(f"() => {canvas}.dataset.ms !== ''")
        assert page.evaluate(f"{canvas}.dataset.size") == "512"
        spent.append(float(page.evaluate(f"{canvas}.dataset.ms")) / 1000)
    return f"{min(spent):.3f} | {statistics.median(spent):.3f}"


if __name__ == "__main__":
    main()
