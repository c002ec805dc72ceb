import numpy as np
import pytest

from matlens import Microstructure
from matlens.errors import InputError
from matlens.figures.style import phase_colours
from matlens.microstructure.figures import boxes, volume_views
from matlens.microstructure.figures.ray_casting import Camera, cast_rays
from matlens.microstructure.problems import bicontinuous


def cast(structure, width=90, hidden=()):
    camera = Camera(tuple(side * step for side, step in zip(structure.shape, structure.spacing)))
    return cast_rays(structure, camera, width, hidden), camera


def pixel_at(picture, camera, point):
    """Row and column of the pixel that shows a point of the box."""
    (right, up), (width, height) = camera.project([point])[0], camera.extent
    rows, columns = picture.shape[:2]
    return int((1 - up / height) / 2 * rows), int((1 + right / width) / 2 * columns)


def colour(phase, phases=2):
    text = phase_colours(phases)[phase]
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)])


@pytest.mark.parametrize(
    ("point", "shown", "brightness"),
    [((0.0, 1.5, 2.5), (0, 1, 2), 1.0), ((1.5, 6.0, 2.5), (1, 5, 2), 0.84), ((1.5, 3.5, 8.0), (1, 3, 7), 0.68)],
)
def test_each_outer_face_shows_its_own_voxels(point, shown, brightness):
    labels = np.ones((4, 6, 8), dtype=np.uint8)
    labels[shown] = 0
    volume = Microstructure(labels)
    picture, camera = cast(volume, 200)
    assert picture[pixel_at(picture, camera, point)][:3] == pytest.approx(brightness * colour(0), abs=1)
    labels[...] = 1
    picture, camera = cast(Microstructure(labels, phase_names=["a", "b"]), 200)
    assert picture[pixel_at(picture, camera, point)][:3] == pytest.approx(brightness * colour(1), abs=1)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 0.5)])
def test_rays_find_the_first_voxel_that_is_seen(spacing):
    """Opacity of the picture against following each ray in tiny steps."""
    labels = (np.random.default_rng(0).random((5, 7, 6)) < 0.12).astype(np.uint8)
    volume = Microstructure(labels, spacing=spacing)
    picture, camera = cast(volume, 40, (0,))
    steps = np.arange(-20, 20, 0.004)
    wrong = 0
    for row in range(2, picture.shape[0], 5):
        for column in range(2, 40, 5):
            hits = []
            for i in (0.25, 0.75):
                for j in (0.25, 0.75):
                    up = (1 - 2 * (row + i) / picture.shape[0]) * camera.extent[1]
                    right = (2 * (column + j) / 40 - 1) * camera.extent[0]
                    start = right * camera.basis[0] + up * camera.basis[1] + np.divide(camera.lengths, 2)
                    points = (start - steps[:, None] * camera.basis[2]) / spacing
                    inside = ((points >= 0) & (points < labels.shape)).all(axis=1)
                    hits.append(labels[tuple(points[inside].astype(int).T)].any())
            wrong += abs(picture[row, column, 3] / 255 - np.mean(hits)) > 0.01
    assert wrong <= 1  # a ray may graze an edge between two steps


def test_masked_voxels_are_invisible_and_hidden_phases_too():
    labels = np.zeros((6, 6, 6), dtype=np.uint8)
    labels[2:4, 2:4, 2:4] = 1
    cube, _ = cast(Microstructure(labels), hidden=(0,))
    masked, _ = cast(Microstructure(labels, mask=labels == 1))
    assert np.array_equal(cube[..., 3], masked[..., 3])
    assert 0 < np.count_nonzero(cube[..., 3]) < 0.2 * cube[..., 3].size
    assert not cast(Microstructure(labels), hidden=(0, 1))[0].any()


def test_surfaces_facing_the_light_are_brighter():
    z, y, x = np.indices((48, 48, 48)) - 23.5
    ball = Microstructure((z**2 + y**2 + x**2 < 20**2).astype(np.uint8))
    picture, camera = cast(ball, 200, (0,))
    middle, out = np.full(3, 24.0), 17 * np.array([[-0.9, 0.2, 0.4], [0.5, 0.6, 0.6]])
    top, below = (picture[pixel_at(picture, camera, middle + way)][:3].sum() for way in out)
    assert top > 1.3 * below


def test_views_have_the_planes_through_the_middle_in_one_scale():
    labels = np.arange(4 * 6 * 8).reshape(4, 6, 8) % 3
    volume = Microstructure(labels, spacing=(2.0, 1.0, 1.0), unit="um")
    _, *planes = volume_views([("a volume", volume)]).axes
    expected = (labels[2], labels[:, 3], labels[:, :, 4])
    for axes, plane in zip(planes, expected):
        assert np.array_equal(axes.images[0].get_array(), plane)
    width, height = planes[0].figure.get_size_inches()
    sizes = [(axes.get_position().width * width, axes.get_position().height * height) for axes in planes]
    lengths = [(8.0, 6.0), (8.0, 8.0), (6.0, 8.0)]
    assert np.ptp(np.divide(sizes, lengths)) == pytest.approx(0, abs=1e-9)
    texts = [text.get_text() for text in planes[2].texts]
    assert {"y →", "← z"} <= set(texts)


@pytest.mark.parametrize("shape", [(2, 40, 40), (60, 3, 4), (4, 60, 3), (3, 4, 60)])
def test_panels_of_any_box_stay_inside_the_figure(shape):
    volume = Microstructure(np.indices(shape).sum(axis=0) % 2)
    for axes in volume_views([("any", volume)]).axes:
        place = axes.get_position()
        assert 0 <= place.x0 <= place.x1 <= 1
        assert 0 <= place.y0 <= place.y1 <= 1


def test_a_volume_shows_itself():
    volume = bicontinuous((16, 16, 16), seed=0)
    assert len(volume.plot().axes) == 4
    assert len(volume.plot(hidden=0).axes) == 4
    assert volume._repr_html_().startswith("<img")
    with pytest.raises(InputError, match="phase 7 does not exist"):
        volume.plot(hidden=7)


def test_a_plane_is_no_volume():
    with pytest.raises(InputError, match="2 axes where a volume was expected"):
        boxes([("plane", Microstructure([[0, 1]]))])
