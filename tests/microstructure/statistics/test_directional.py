"""Directional lineal path and chords: by definition along digitised lines, and on the Boolean model's exact chords."""

from itertools import pairwise

import numpy as np
import pytest

from matlens import InputError, Microstructure
from matlens.microstructure.problems import discs
from matlens.microstructure.statistics import (
    chord_length_distribution,
    chord_survival,
    directional_lineal_path,
    directional_mean_chord,
    lineal_path,
    mean_chord_length,
)


def lines_by_hand(labels, known, direction):
    """Stretches of known pixels along digitised lines, as lists of labels with None at their ends."""
    d = np.array(direction, float)
    major = int(np.abs(d).argmax())
    slope = d / d[major]
    side = labels.shape[major]
    offsets = [tuple(int(np.rint(s * j)) if i != major else j for i, s in enumerate(slope)) for j in range(side)]
    seen, stretches = set(), []
    widths = [range(-side, n + side) if i != major else range(1) for i, n in enumerate(labels.shape)]
    for start in np.ndindex(*(len(w) for w in widths)):
        line = []
        for offset in offsets:
            x = tuple(w[s] + o for w, s, o in zip(widths, start, offset))
            inside = all(0 <= a < n for a, n in zip(x, labels.shape)) and known[x]
            line.append(int(labels[x]) if inside else None)
            assert not inside or x not in seen
            seen.add(x) if inside else None
        stretch = []
        for value in [*line, None]:
            if value is None:
                if stretch:
                    stretches.append(stretch)
                stretch = []
            else:
                stretch.append(value)
    assert len(seen) == known.sum()
    return stretches


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("direction", [(0, 1), (1, 0), (1, 1), (1, -1), (-2, 5), (3, 1), (1, 1, 1), (0, 2, -1)])
def test_lineal_path_is_its_definition_along_every_line(direction, masked):
    rng = np.random.default_rng(0)
    shape = (9, 12) if len(direction) == 2 else (5, 6, 4)
    labels = (rng.random(shape) < 0.6).astype(int) + (rng.random(shape) < 0.1)
    known = rng.random(shape) < 0.8 if masked else np.ones(shape, bool)
    stretches = lines_by_hand(labels, known, direction)
    found = directional_lineal_path(Microstructure(labels), [direction], mask=known)[:, 0]
    for phase in range(3):
        for r in range(max(shape) // 2 + 1):
            segments = [s[i : i + r + 1] for s in stretches for i in range(len(s) - r)]
            expected = np.mean([set(s) == {phase} for s in segments]) if segments else np.nan
            np.testing.assert_allclose(found[phase, r], expected)


def test_along_the_axes_it_is_the_lineal_path():
    m = discs((40, 60), radius=5.0, fraction=0.4, seed=0, periodic=False)
    found = directional_lineal_path(m, [(1, 0), (0, 1)])
    expected = lineal_path(m)
    np.testing.assert_allclose(found[~np.isnan(expected)], expected[~np.isnan(expected)], atol=1e-12)
    np.testing.assert_allclose(directional_mean_chord(m, [(1, 0), (0, 1)]), mean_chord_length(m))


def geometric_share(radius, fraction, last):
    """Share of the matrix' chords longer than z: chords of a Boolean model are memoryless on the pixel grid too.

    r + 1 pixels in a row are free with probability exp(-intensity area), and each further disc of possible centres
    adds the same crescent to the area.
    """
    disc = np.pi * radius**2
    lens = 2 * radius**2 * np.arccos(0.5 / radius) - 0.5 * np.sqrt(4 * radius**2 - 1)
    intensity = -np.log(1 - fraction) / disc
    return np.exp(-intensity * (disc - lens) * np.arange(last + 1))


@pytest.mark.slow
def test_chords_of_a_boolean_model_in_windows_as_small_as_the_chords():
    radius, fraction, side = 4.0, 0.4, 16  # a quarter of the matrix' chords are longer
    expected = geometric_share(radius, fraction, side)
    windows = [discs((side, 40 * side), radius=radius, fraction=fraction, seed=s, periodic=False) for s in range(60)]
    tiles = [tile for m in windows for tile in m.tiles((side, side))]
    # one estimate from all tiles: they are stacked with unknown rows between, so no chord reaches from one to the next
    labels = np.concatenate([np.pad(t.labels, ((0, 1), (0, 0))) for t in tiles])
    mask = np.concatenate([np.pad(np.ones(t.shape, bool), ((0, 1), (0, 0))) for t in tiles])
    joined = Microstructure(labels, phase_names=list("ab"))
    found = chord_survival(joined, [(1, 0), (0, 1)], mask=mask)[0, :, : side - 2]
    np.testing.assert_allclose(found, np.stack([expected[: side - 2]] * 2), atol=0.025)
    # whole chords alone, unweighted, are far too short
    lengths = []
    for t in tiles[:400]:
        for row in t.labels:
            change = np.flatnonzero(np.diff(row)) + 1
            lengths += [b - a for a, b in pairwise(change) if row[a] == 0]
    assert (np.array(lengths) > 5).mean() < expected[5] - 0.2


def test_survival_agrees_with_weighted_chords_in_large_windows():
    m = discs((400, 400), radius=5.0, fraction=0.5, seed=3, periodic=False)
    weighted = 1 - np.cumsum(chord_length_distribution(m), axis=-1)[..., :40]
    np.testing.assert_allclose(chord_survival(m, [(1, 0), (0, 1)])[..., :40], weighted, atol=0.03)


def test_isotropic_media_have_equal_chords_along_all_directions_and_laminates_do_not():
    m = discs((600, 600), radius=8.0, fraction=0.4, seed=1, periodic=False)
    angles = np.radians([0, 25, 45, 70, 90, 120])
    chords = directional_mean_chord(m, [(-np.sin(t), np.cos(t)) for t in angles])
    np.testing.assert_allclose(chords[1] / chords[1].mean(), 1, atol=0.09)
    stripes = Microstructure(np.tile([0, 0, 1, 1, 1, 1], (48, 8)), spacing=(2, 1))
    found = directional_mean_chord(stripes, [(1, 0), (0, 1), (1, 1)])
    assert np.isinf(found[:, 0]).all()
    np.testing.assert_allclose(found[:, 1], [2, 4], rtol=0.05)
    np.testing.assert_allclose(found[:, 2], np.array([2, 4]) * np.sqrt(5), rtol=0.05)


def test_what_cannot_be_used_is_named():
    m = Microstructure([[0, 1], [1, 0]])
    for wrong in ((0, 0), (1, 2, 3), (np.nan, 1)):
        with pytest.raises(InputError, match="direction"):
            directional_lineal_path(m, [wrong])
    absent = Microstructure(np.zeros((4, 4), int), phase_names=list("ab"))
    assert np.isnan(chord_survival(absent)[1]).all()
    assert np.isnan(directional_mean_chord(absent)[1]).all()
