import numpy as np
import pytest
from scipy import ndimage

from matlens import InputError, Microstructure
from matlens.microstructure.problems import (
    FAMILIES,
    anisotropic_bicontinuous,
    anisotropic_field,
    cell_walls,
    draw_structure,
    ellipses,
    particles,
    sheets,
)

MAKERS = {
    "fields": anisotropic_field,
    "bicontinuous": anisotropic_bicontinuous,
    "particles": particles,
    "ellipses": ellipses,
    "sheets": sheets,
    "cell_walls": cell_walls,
}


def covariance(m: Microstructure) -> np.ndarray:
    phi = m.volume_fractions[1]
    s2 = np.fft.ifftn(np.abs(np.fft.fftn(m.labels.astype(float))) ** 2).real / m.labels.size
    return (s2 - phi**2) / (phi * (1 - phi))


def clusters(phase: np.ndarray) -> list[np.ndarray]:
    """Pixels of each cluster on the torus, unwrapped, for clusters smaller than half the torus."""
    labels, _ = ndimage.label(np.tile(phase, (2, 2)))
    seen, found = set(), []
    sides = np.array(phase.shape)
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        inside = all(part.start > 0 and part.stop < 2 * side for part, side in zip(box, sides))
        pixels = np.argwhere(labels == number)
        key = frozenset(map(tuple, pixels % sides))
        if inside and key not in seen:
            seen.add(key)
            found.append(pixels)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("shape", [(32, 32), (64, 64), (48, 96)])
def test_drawn_structures_have_their_exact_fraction_and_repeat(family, shape):
    fractions = []
    for number in range(12):
        structure, parameters = draw_structure(family, shape, np.random.default_rng(number))
        again = FAMILIES[family].make(shape, **parameters)
        assert structure.shape == shape
        assert structure.n_phases == 2
        assert structure.periodic
        assert np.array_equal(structure.labels, again.labels)
        assert structure.labels.sum() == round(parameters["fraction"] * structure.labels.size)
        fractions.append(structure.volume_fractions[1])
    assert min(fractions) >= 0.145
    assert max(fractions) <= 0.655
    assert np.ptp(fractions) > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_opposite_borders_continue_each_other(family):
    """Phases change across the border as often as anywhere else; where they do not join it is 2 phi (1 - phi)."""
    border, inside, strange = [], [], []
    for number in range(25):
        labels = draw_structure(family, (64, 64), np.random.default_rng(number))[0].labels
        for axis in (0, 1):
            changes = (labels != np.roll(labels, -1, axis)).mean(axis=1 - axis)
            border.append(changes[-1])
            inside.append(changes[:-1].mean())
            strange.append((labels.take(0, axis) != labels.take(32, axis)).mean())
    assert np.mean(border) == pytest.approx(np.mean(inside), rel=0.25)
    assert np.mean(strange) > 1.5 * np.mean(border)


@pytest.mark.parametrize("make", MAKERS.values())
def test_windows_do_not_wrap(make):
    windows = [make((64, 64), fraction=0.4, seed=seed, periodic=False) for seed in range(8)]
    assert not any(window.periodic for window in windows)
    assert all(window.labels.sum() == round(0.4 * 64 * 64) for window in windows)
    border = [(w.labels[-1] != w.labels[0]).mean() for w in windows]
    inside = [(w.labels[1:] != w.labels[:-1]).mean() for w in windows]
    assert np.mean(border) > 1.5 * np.mean(inside)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["particles", "ellipses", "sheets", "cell_walls"])
def test_either_phase_may_be_the_included_one(family):
    drawn = [draw_structure(family, (64, 64), np.random.default_rng(k)) for k in range(16)]
    assert {parameters["included"] for _, parameters in drawn} == {0, 1}
    structure = MAKERS[family]((64, 64), fraction=0.6, included=0, seed=1)
    mirror = MAKERS[family]((64, 64), fraction=0.4, included=1, seed=1)
    assert (structure.labels == 1 - mirror.labels).mean() > 0.999  # ties at the edges may fall otherwise
    assert structure.phase_names == mirror.phase_names[::-1]


@pytest.mark.parametrize(("angle", "along", "across"), [(0, (0, 14), (5, 0)), (90, (14, 0), (0, 5))])
def test_fields_are_correlated_as_far_as_asked_in_each_direction(angle, along, across):
    length = np.sqrt(14 * 5)
    c = np.mean(
        [
            covariance(anisotropic_field((256, 256), correlation_length=length, aspect=2.8, angle=angle, seed=seed))
            for seed in range(8)
        ],
        axis=0,
    )
    assert c[along] == pytest.approx(0.1, abs=0.03)
    assert c[across] == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("make", [make for name, make in MAKERS.items() if name != "particles"])
def test_an_angle_of_45_degrees_runs_down_the_diagonal(make):
    options = {"waviness": 0.0, "interruption": 0.0} if make is sheets else {"aspect": 3.0}
    c = np.mean([covariance(make((96, 96), angle=45, fraction=0.3, seed=s, **options)) for s in range(8)], axis=0)
    assert c[4, 4] > c[4, -4] + 0.1


def test_bicontinuous_repeats_at_the_wavelength_in_each_direction():
    c = np.mean(
        [
            covariance(anisotropic_bicontinuous((256, 256), wavelength=16, aspect=2.0, angle=0, seed=seed))
            for seed in range(8)
        ],
        axis=0,
    )
    short, long = 16 / np.sqrt(2), 16 * np.sqrt(2)
    assert np.argmin(c[: round(short), 0]) == pytest.approx(short / 2, abs=2)
    assert np.argmin(c[0, : round(long)]) == pytest.approx(long / 2, abs=3)


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_particles_are_round_and_apart(spread):
    structure = particles((160, 160), diameter=18, spread=spread, gap=2.0, fraction=0.35, seed=3)
    found = clusters(structure.labels == 1)
    assert len(found) == round(0.35 * 160**2 / (np.pi / 4 * 18**2))
    for pixels in found:
        a, b = np.sqrt(np.linalg.eigvalsh(np.cov(pixels.T)))[::-1]
        assert a / b < 1.12
        assert len(pixels) == pytest.approx(np.pi * (2 * a) * (2 * b), rel=0.06)  # an ellipse fills its moments
    areas = np.array([len(pixels) for pixels in found])
    diameters = np.sqrt(4 / np.pi * areas)
    assert np.sqrt((diameters**2).mean()) == pytest.approx(18, rel=0.03)
    assert diameters.std() / diameters.mean() == pytest.approx(spread, abs=0.1)


def test_dense_particles_hardly_touch():
    structure = particles((128, 128), diameter=16, spread=0.2, gap=1.0, fraction=0.6, seed=0)
    count = round(0.6 * 128**2 / (np.pi / 4 * 16**2))
    assert len(clusters(structure.labels == 1)) >= 0.9 * count


def test_ellipses_have_the_asked_shape_and_direction():
    structure = ellipses((192, 192), length=14, aspect=3, angle=30, disorder=0, overlap=False, fraction=0.15, seed=2)
    found = clusters(structure.labels == 1)
    assert len(found) > 20
    shapes = []
    for pixels in found:
        values, vectors = np.linalg.eigh(np.cov(pixels.T))
        row, column = vectors[:, 1]
        shapes.append((np.sqrt(values[1] / values[0]), np.rad2deg(np.arctan2(row, column)) % 180))
        assert 4 * np.sqrt(np.sqrt(values.prod())) == pytest.approx(14, rel=0.15)
    aspect, angle = np.median(shapes, axis=0)
    assert aspect == pytest.approx(3, rel=0.1)
    assert angle == pytest.approx(30, abs=4)


def test_disorder_turns_ellipses_every_way():
    structure = ellipses((192, 192), length=14, aspect=3, disorder=180, overlap=False, fraction=0.15, seed=2)
    directions = []
    for pixels in clusters(structure.labels == 1):
        row, column = np.linalg.eigh(np.cov(pixels.T))[1][:, 1]
        directions.append(2 * np.arctan2(row, column))
    assert abs(np.exp(1j * np.array(directions)).mean()) < 0.4


def test_straight_sheets_are_a_laminate():
    structure = sheets((64, 48), period=16, angle=0, waviness=0, interruption=0, fraction=0.25, seed=5)
    assert (structure.labels == structure.labels[:, :1]).all()
    assert (np.diff(structure.labels[:, 0].astype(int)) == 1).sum() + int(structure.labels[0, 0]) >= 4
    upright = sheets((64, 48), period=16, angle=90, waviness=0, interruption=0, fraction=0.25, seed=5)
    assert (upright.labels == upright.labels[:1]).all()


def test_interruptions_break_sheets():
    whole, broken = (sheets((128, 128), period=16, waviness=0, interruption=i, fraction=0.25, seed=1) for i in (0, 0.4))
    runs = [(m.labels[:, 1:] != m.labels[:, :-1]).sum() for m in (whole, broken)]
    assert runs[0] == 0
    assert runs[1] > 40


@pytest.mark.parametrize("regularity", [0.0, 1.0])
def test_walls_close_every_cell(regularity):
    structure = cell_walls((96, 96), diameter=20, regularity=regularity, fraction=0.4, seed=4)
    count = round(96**2 / (np.pi / 4 * 20**2))
    found = clusters(structure.labels == 0)
    assert 0.8 * count <= len(found) <= count
    spread = np.std([len(pixels) for pixels in found]) / np.mean([len(pixels) for pixels in found])
    assert (spread < 0.35) == (regularity == 1.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: anisotropic_field((8, 8, 8)),
        lambda: anisotropic_field((32, 32), aspect=0.5),
        lambda: anisotropic_bicontinuous((32, 32), wavelength=1),
        lambda: particles((32, 32), diameter=20),
        lambda: particles((32, 32), diameter=8, fraction=0.9),
        lambda: particles((32, 32), diameter=8, included=0, fraction=0.1),
        lambda: particles((32, 32), diameter=8, included=2),
        lambda: particles((32, 32), diameter=8, spread=-1),
        lambda: ellipses((32, 32), length=14, aspect=6),
        lambda: ellipses((32, 32), length=6, overlap=False, fraction=0.6),
        lambda: ellipses((32, 32), length=2),
        lambda: sheets((32, 32), period=2),
        lambda: sheets((32, 32), interruption=0.5, fraction=0.5),
        lambda: cell_walls((32, 32), diameter=1),
        lambda: cell_walls((32, 32), regularity=2),
        lambda: draw_structure("sponge", (64, 64), np.random.default_rng(0)),
        lambda: draw_structure("sheets", (16, 64), np.random.default_rng(0)),
    ],
)
def test_impossible_structures_are_input_errors(call):
    with pytest.raises(InputError, match=r"found|ask for|there is no|make it shorter"):
        call()
