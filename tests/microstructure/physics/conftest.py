"""The same finite volumes as a network of resistors, written with loops and solved densely: the tests' truth."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest


def harmonic(a, b):
    return 2 * a * b / (a + b) if a + b > 0 else 0.0


class Network:
    """Cells as nodes; ``given`` holds the potential beyond a border face as a function of its place, or None."""

    def __init__(self, k, spacing, periodic=False):
        self.k, self.h, self.shape = k, spacing, k.shape
        self.volume = float(np.prod(spacing))
        self.index = np.arange(k.size).reshape(k.shape)
        self.matrix, self.faces, self.borders = np.zeros((k.size, k.size)), [], []
        for cell, axis in product(np.ndindex(*k.shape), range(k.ndim)):
            there = list(cell)
            there[axis] = (cell[axis] + 1) % k.shape[axis]
            wraps = there[axis] == 0
            if not wraps or periodic:
                face = harmonic(k[cell], k[tuple(there)])
                i, j = self.index[cell], self.index[tuple(there)]
                self.faces.append((i, j, axis, face, wraps))
                g = face * self.volume / spacing[axis] ** 2
                self.matrix[i, i] += g
                self.matrix[j, j] += g
                self.matrix[i, j] -= g
                self.matrix[j, i] -= g
            for side in (0, 1):
                if not periodic and cell[axis] == side * (k.shape[axis] - 1):
                    self.borders.append((self.index[cell], cell, axis, side, 2 * k[cell]))

    def centre(self, cell, axis):
        return (cell[axis] + 0.5) * self.h[axis]

    def solve(self, right, matrix=None):
        return np.linalg.lstsq(self.matrix if matrix is None else matrix, right, rcond=1e-12)[0]


def periodic(k, spacing):
    """Mean flux under each unit gradient."""
    net = Network(k, spacing, periodic=True)
    tensor = np.zeros((k.ndim, k.ndim))
    for load in range(k.ndim):
        right = np.zeros(k.size)
        for i, j, axis, face, _ in net.faces:
            if axis == load:
                right[i] += face * net.volume / net.h[axis]
                right[j] -= face * net.volume / net.h[axis]
        u = net.solve(right)
        for i, j, axis, face, _ in net.faces:
            tensor[axis, load] += face * ((axis == load) + (u[j] - u[i]) / net.h[axis])
    return tensor / k.size


def rotated(k, spacing):
    """Mean flux in cells whose gradient is the mean of the differences along their edges; potentials at corners."""
    d, index = k.ndim, np.arange(k.size).reshape(k.shape)
    slopes = np.zeros((*k.shape, d, k.size))
    for cell, corner, axis in product(np.ndindex(*k.shape), product((0, 1), repeat=d), range(d)):
        node = index[tuple((c + o) % n for c, o, n in zip(cell, corner, k.shape))]
        slopes[(*cell, axis, node)] += (1 if corner[axis] else -1) / 2 ** (d - 1) / spacing[axis]
    slopes, values = slopes.reshape(k.size, d, k.size), k.ravel()
    matrix = np.einsum("c,cai,caj->ij", values, slopes, slopes)
    u = np.linalg.lstsq(matrix, -np.einsum("c,cai->ia", values, slopes), rcond=1e-12)[0]
    return (np.einsum("c,cai,ib->ab", values, slopes, u) + np.eye(d) * values.sum()) / k.size


def prescribed(k, spacing, load, axes):
    """Mean flux with the potential of a unit gradient held on the borders of the given axes."""
    net = Network(k, spacing)
    matrix, right = net.matrix.copy(), np.zeros(k.size)
    held = []
    for i, cell, axis, side, half in net.borders:
        if axis in axes:
            place = [net.centre(cell, a) for a in range(k.ndim)]
            place[axis] = side * k.shape[axis] * net.h[axis]
            g = half * net.volume / net.h[axis] ** 2
            matrix[i, i] += g
            right[i] += g * place[load]
            held.append((i, axis, side, half, place[load]))
    u = net.solve(right, matrix)
    mean = np.zeros(k.ndim)
    for i, j, axis, face, _ in net.faces:
        mean[axis] += face * (u[j] - u[i]) / net.h[axis]
    for i, axis, side, half, potential in held:
        mean[axis] += half * (potential - u[i]) * (1 if side else -1) / net.h[axis] / 2
    return mean / k.size


def gradient(k, spacing):
    return np.stack([prescribed(k, spacing, load, range(k.ndim)) for load in range(k.ndim)], 1)


def fixed(k, spacing):
    return np.array([prescribed(k, spacing, axis, [axis])[axis] for axis in range(k.ndim)])


def flux(k, spacing):
    """Inverse of the mean gradients, read off the potentials on the borders, under a unit flux along each axis."""
    net = Network(k, spacing)
    gradients = np.zeros((k.ndim, k.ndim))
    for load in range(k.ndim):
        right = np.zeros(k.size)
        for i, _, axis, side, _ in net.borders:
            right[i] += (1 if side else -1) * (axis == load) * net.volume / net.h[axis]
        u = net.solve(right)
        for i, _, axis, side, half in net.borders:
            sign = 1 if side else -1
            border = u[i] + sign * (axis == load) * net.h[axis] / half
            gradients[axis, load] += sign * border / net.h[axis]
    return np.linalg.inv(gradients / k.size)


@pytest.fixture(scope="session")
def networks():
    """Effective tensors of small arrays by brute force, one function a boundary: (k, spacing) -> array."""
    return SimpleNamespace(periodic=periodic, rotated=rotated, gradient=gradient, fixed=fixed, flux=flux)
