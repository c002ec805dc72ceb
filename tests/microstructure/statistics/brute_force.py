"""The definitions of statistics, written down as loops over pixels."""

from itertools import product

import numpy as np


def squared_distances(m):
    """Squared physical distance of every two pixels, wrapped if periodic."""
    places = np.argwhere(np.ones(m.shape, dtype=bool))
    steps = np.abs(places[:, None] - places[None])
    if m.periodic:
        steps = np.minimum(steps, np.array(m.shape) - steps)
    return (steps**2 * np.asarray(m.spacing) ** 2).sum(axis=-1)


def local_thickness_map(m):
    squares, labels = squared_distances(m), m.labels.ravel()
    radii = np.where(labels[:, None] != labels[None], squares, np.inf).min(axis=1)
    covers = (squares < radii - 1e-9) & (labels[:, None] == labels[None])
    return 2 * np.sqrt(np.where(covers, radii, 0).max(axis=1)).reshape(m.shape)


def blocks(m, shape):
    """All blocks of a shape that fit, or all places if periodic."""
    places = [range(side if m.periodic else side - size + 1) for side, size in zip(m.shape, shape)]
    for corner in product(*places):
        yield m.labels[np.ix_(*[(c + np.arange(n)) % s for c, n, s in zip(corner, shape, m.shape)])]


def triple_edges(m):
    """Edges (2-D: corners) with three phases around, per volume, by their direction."""
    found = []
    for along in range(m.ndim) if m.ndim == 3 else [None]:
        shape = [1 if axis == along else 2 for axis in range(m.ndim)]
        meets = np.mean([len(np.unique(block)) >= 3 for block in blocks(m, shape)])
        found.append(meets * (1 if along is None else m.spacing[along]) / np.prod(m.spacing))
    return sum(found)


def surface_surface_map(m):
    shape = m.shape
    interface = np.zeros(shape, dtype=bool)
    for place in np.ndindex(shape):
        for axis, step in product(range(m.ndim), (-1, 1)):
            other = list(place)
            other[axis] += step
            if m.periodic or 0 <= other[axis] < shape[axis]:
                interface[place] |= m.labels[place] != m.labels[tuple(o % s for o, s in zip(other, shape))]
    inner = (slice(None),) * m.ndim if m.periodic else (slice(1, -1),) * m.ndim
    half = [side // 2 for side in interface[inner].shape]
    found = []
    for phase in range(m.n_phases):
        layer = (interface & (m.labels == phase))[inner]
        values = np.empty([2 * h + 1 for h in half])
        for offset in product(*(range(-h, h + 1) for h in half)):
            moved = np.roll(layer, [-o for o in offset], axis=range(m.ndim))
            kept = tuple(
                slice(None) if m.periodic else slice(max(0, -o), side - max(0, o))
                for o, side in zip(offset, layer.shape)
            )
            values[tuple(o + h for o, h in zip(offset, half))] = (layer & moved)[kept].mean()
        found.append(values)
    return np.stack(found)


def spanning_share(m):
    """Share of each phase that a flood from one face of an axis and one from the other both reach."""
    found = np.full((m.n_phases, m.ndim), np.nan)
    for phase, axis in product(range(m.n_phases), range(m.ndim)):
        cells = {tuple(p) for p in np.argwhere(m.labels == phase)}
        if cells:
            both = flood(cells, axis, 0) & flood(cells, axis, m.shape[axis] - 1)
            found[phase, axis] = len(both) / len(cells)
    return found


def flood(cells, axis, start):
    waiting = [cell for cell in cells if cell[axis] == start]
    reached = set(waiting)
    while waiting:
        cell = waiting.pop()
        for along, step in product(range(len(cell)), (-1, 1)):
            other = tuple(c + step * (i == along) for i, c in enumerate(cell))
            if other in cells and other not in reached:
                reached.add(other)
                waiting.append(other)
    return reached
