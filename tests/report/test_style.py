"""Colours that can be read on light and dark paper, and a page that prints whole."""

import re
from pathlib import Path

import pytest

STYLE = (Path(__file__).parents[2] / "src/matlens/report/style.css.jinja").read_text(encoding="utf-8")
ROOTS = [dict(re.findall(r"--(\w+): (#\w+)", block)) for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)]


def luminance(colour):
    """Relative luminance by the definition of the Web Content Accessibility Guidelines 2."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear))


def contrast(first, second):
    low, high = sorted(map(luminance, (first, second)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_guidelines():
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("colours", ROOTS, ids=["light", "dark", "print"])
@pytest.mark.parametrize("ink", ["ink", "soft", "accent", "good", "bad", "weak"])
def test_texts_stand_out_from_paper_and_shades(colours, ink):
    assert min(contrast(colours[ink], colours[ground]) for ground in ("paper", "shade")) >= 4.5


def test_no_scroll_bar_is_printed_and_folded_parts_are_not():
    printed = STYLE[STYLE.index("@media print") :]
    assert ".scroll { overflow: visible; }" in printed
    assert re.search(r"details[^}]*\{ display: none; \}", printed)
