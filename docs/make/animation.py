"""Make the animation of the README: ``python docs/make/animation.py`` writes docs/images/forming.gif.

Left a micrograph, and noise that becomes an equivalent one; right a section, and noise that becomes a volume with
such planes. The frames are what the reconstruction shows while it works.
"""

import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

import matlens as ml
from matlens.hooks import NoStore
from matlens.microstructure.figures import boxes

TARGET = Path(__file__).parents[1] / "images" / "forming.gif"
SIDE, FRAMES, MILLISECONDS, LAST = 256, 22, 140, 2500  # pixels of a panel, frames, time of each and of the last
PALETTE = np.array([[38, 50, 66], [240, 214, 160]], dtype=np.uint8)


class Frames(NoStore):
    """Keep every picture of unfinished work."""

    def __init__(self):
        self.labels = []

    def show(self, key, labels, *, force=False):
        """Keep a picture."""
        self.labels.append(labels())


def forming(exemplar, shape):
    """Reconstruct, and return labels from noise to the result, evenly in the logarithm of the step."""
    frames = Frames()
    result = ml.reconstruct(exemplar, shape, preset="fast", seed=1, checkpoint=frames).microstructure
    noise = np.random.default_rng(0).random(shape) < exemplar.volume_fractions[1]
    seen = [noise.astype(np.uint8), *frames.labels, result.labels]
    steps = np.unique(np.geomspace(1, len(seen), FRAMES).round().astype(int)) - 1
    return [seen[step] for step in steps] + [result.labels] * (FRAMES - len(steps))


def plane(labels):
    """Draw a plane with square pixels."""
    return Image.fromarray(PALETTE[labels]).resize((SIDE, SIDE), Image.Resampling.NEAREST)


def box(labels):
    """Draw a volume as a box, without its margins."""
    figure: Figure = boxes([("", ml.Microstructure(labels))], columns=1)
    figure.set_size_inches(4, 4)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=120)
    picture = Image.open(file).convert("RGB")
    dark = np.asarray(picture.convert("L")) < 250
    rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
    picture = picture.crop((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    return picture.resize((SIDE, round(SIDE * picture.height / picture.width)), Image.Resampling.LANCZOS)


def main():
    """Reconstruct in the plane and in space, and write the animation."""
    micrograph, section = ml.examples.gravel(), ml.examples.porous()[48]
    planes = [plane(labels) for labels in forming(micrograph, (96, 96))]
    solids = [box(labels) for labels in forming(section, (32, 32, 32))]
    given = [plane(micrograph.labels[:96, :96]), plane(section.labels[:32, :32])]
    gap, height = 12, max(SIDE, *(solid.height for solid in solids))
    frames = []
    for flat, solid in zip(planes, solids, strict=True):
        frame = Image.new("RGB", (4 * SIDE + 3 * gap, height), "white")
        for column, picture in enumerate((given[0], flat, given[1], solid)):
            frame.paste(picture, (column * (SIDE + gap), (height - picture.height) // 2))
        frames.append(frame.quantize(32, dither=Image.Dither.NONE))
    times = [MILLISECONDS] * (len(frames) - 1) + [LAST]
    frames[0].save(TARGET, save_all=True, append_images=frames[1:], duration=times, loop=0, optimize=True)
    print(f"{TARGET}: {TARGET.stat().st_size / 1e6:.2f} MB, {len(frames)} frames")


if __name__ == "__main__":
    main()
