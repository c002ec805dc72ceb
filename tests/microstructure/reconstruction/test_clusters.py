import numpy as np
import pytest
from scipy import ndimage

from matlens.microstructure.problems import bicontinuous, white_noise
from matlens.microstructure.reconstruction.matching.clusters import WindowClusters


def counted(labels: np.ndarray, phases: int, window: tuple[int, int]) -> list[list[int]]:
    """The sums by labelling every window anew."""
    sums = np.zeros((phases, 2), dtype=np.int64)
    height, width = window
    for y in range(0, labels.shape[0] - height + 1, height):
        for x in range(0, labels.shape[1] - width + 1, width):
            for phase in range(phases):
                for column, structure in enumerate((None, np.ones((3, 3)))):
                    clusters, _ = ndimage.label(labels[y : y + height, x : x + width] == phase, structure)
                    sums[phase, column] += np.square(np.bincount(clusters.ravel())[1:]).sum()
    return sums.tolist()


PICTURES = {
    "one window": (bicontinuous((40, 44), wavelength=8, seed=3).labels, 2, (40, 44)),
    "windows that leave a rim": (bicontinuous((33, 40), wavelength=8, seed=4).labels, 2, (16, 18)),
    "three phases, many clusters": (white_noise((24, 30), (0.4, 0.35, 0.25), seed=0).labels, 3, (12, 10)),
    "labyrinth wider than the first search": (np.tile([[1, 1, 1], [1, 0, 0]], (30, 20)).astype(np.uint8), 2, (60, 60)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_sums_after_swaps_are_those_of_labelling_anew(name):
    labels, phases, window = PICTURES[name]
    labels, random = labels.copy(), np.random.default_rng(0)
    clusters, flat = WindowClusters(labels, phases, window), labels.ravel()
    assert clusters.sums.tolist() == counted(labels, phases, window)
    for _ in range(300):
        one = int(random.integers(flat.size))
        phase = int(flat[one])
        rival = (phase + 1 + int(random.integers(phases - 1))) % phases
        beside = [place for place in (one + 1, one + labels.shape[1], one + labels.shape[1] + 1) if place < flat.size]
        beside = [place for place in beside if flat[place] == rival]
        # Half of the pairs touch each other, where joining and leaving act on one cluster.
        other = beside[0] if beside and random.random() < 0.5 else int(random.choice(np.flatnonzero(flat == rival)))
        before, found = clusters.sums.tolist(), clusters.swapped(one, other, phase, rival).tolist()
        assert clusters.sums.tolist() == before
        flat[one], flat[other] = rival, phase
        assert found == counted(labels, phases, window)
        if random.random() < 0.5:
            clusters.swap(one, other, phase, rival)
            assert clusters.sums.tolist() == found
        else:
            flat[one], flat[other] = phase, rival
