"""What the walks through the studio share: a micrograph made by code, pictures of the page, and counted clicks."""

import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

PATIENT = 240_000  # ms: the machine may be busy
SHOTS = os.environ.get("MATLENS_SHOTS")
_MOST_COLOURS = 32  # of each kind in a picture for the docs, which stays below 130 kB so


def micrograph(path: Path, seed: int = 2) -> None:
    """A raw SEM image of two phases: noise, a data bar, and a scale bar of 100 px."""
    rng = np.random.default_rng(seed)
    field = rng.normal(size=(320, 400))
    waves = np.hypot(np.fft.fftfreq(320)[:, None], np.fft.fftfreq(400)[None])
    field = np.fft.ifft2(np.fft.fft2(field) * np.exp(-(((waves - 0.035) / 0.012) ** 2))).real
    grey = np.where(field > 0.1 * field.std(), 165, 95) + rng.normal(0, 11, field.shape)
    image = Image.fromarray(np.vstack([grey, np.zeros((40, 400))]).clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 338, 119, 343), fill=255)
    draw.text((130, 332), "5 um   15.0 kV   x 4000", fill=255)
    image.save(path)


def shot(page, name: str) -> None:
    """Store a picture of the page, if that is asked for."""
    if not SHOTS:
        return
    page.wait_for_timeout(400)
    place = Path(SHOTS) / f"studio_{name}.png"
    page.screenshot(path=place)
    picture = Image.open(place).convert("RGB")
    # Flat areas keep their colours, and the other colours are spread: median cut would turn a thin orange bar brown.
    most = sorted(picture.getcolors(1 << 24) or [], reverse=True)[:_MOST_COLOURS]
    spread = picture.quantize(_MOST_COLOURS, Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for _, colour in most for value in colour] + spread[: 3 * _MOST_COLOURS])
    picture.quantize(palette=palette, dither=Image.Dither.NONE).save(place, optimize=True)


def count_clicks(page) -> None:
    """Count what the user presses on the page, from now on; drags count as one."""
    page.evaluate("window.clicks = 0; addEventListener('pointerdown', () => { window.clicks += 1; }, true)")


def clicks(page) -> int:
    return page.evaluate("window.clicks")


def draw_line(page, begin: tuple[float, float], end: tuple[float, float], columns: int = 400) -> None:
    """Drag over the picture from a pixel to another one."""
    box = page.locator(".stage canvas").first.bounding_box()
    zoom = box["width"] / columns
    page.mouse.move(box["x"] + begin[0] * zoom, box["y"] + begin[1] * zoom)
    page.mouse.down()
    page.mouse.move(box["x"] + end[0] * zoom, box["y"] + end[1] * zoom, steps=4)
    page.mouse.up()
