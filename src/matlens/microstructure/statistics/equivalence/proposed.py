"""What a volume says that its sections do not determine: topology, connection and transport in space."""

from __future__ import annotations

import numpy as np
import pandas as pd

from matlens.hooks import NoStore, Progress, Silent, StateStore
from matlens.microstructure.axes import AXES
from matlens.microstructure.physics import formation_factor
from matlens.microstructure.statistics.size_shape.euler import euler_density
from matlens.microstructure.statistics.transport.connectivity import connected_fraction
from matlens.microstructure.structure import Microstructure

__all__ = ["proposed_statistics"]

_FACTORS = "factors"


def proposed_statistics(
    volume: Microstructure, progress: Progress | None = None, checkpoint: StateStore | None = None
) -> pd.DataFrame:
    """Compute what sections of a volume do not determine: topology, connection and transport.

    Parameters
    ----------
    volume : Microstructure
        Three-dimensional.
    progress : Progress, optional
        Shows which formation factor is being computed.
    checkpoint : StateStore, optional
        Keeps the formation factors that are done, under the key ``factors``, so that an interrupted run goes on.

    Returns
    -------
    DataFrame
        Columns ``statistic``, ``phase``, ``axis`` (empty where there is none), ``value``, ``unit``. The formation
        factor is taken between fixed faces and is infinite where the phase does not lead from face to face; of a
        periodic volume the periodic value stands beside it, and their gap is the effect of the faces.

    Raises
    ------
    InputError
        If the structure is no volume, or pixels are masked.

    Notes
    -----
    Of a section, stereology determines volume fraction, surface per volume, two-point probability, lineal path and
    chords; Euler number and connection it does not (Torquato, Random Heterogeneous Materials, 2002).

    Examples
    --------
    >>> labels = np.zeros((16, 16, 16), dtype=int)
    >>> labels[:, :8] = 1
    >>> found = proposed_statistics(Microstructure(labels)).set_index(["statistic", "phase", "axis"])["value"]
    >>> float(found["share that spans", "phase 1", "z"]), round(float(found["formation factor", "phase 1", "z"]), 3)
    (1.0, 2.0)
    """
    volume = volume.whole("a statistic in space")
    shown = progress or Silent()
    names = volume.phase_names
    rows = [
        ("Euler density", name, "", value, f"{volume.unit}^-3") for name, value in zip(names, euler_density(volume))
    ]
    spans = connected_fraction(volume)
    pairs = [(phase, axis) for phase in range(volume.n_phases) for axis in range(volume.ndim)]
    rows += [("share that spans", names[phase], AXES[axis], spans[phase, axis], "") for phase, axis in pairs]
    kinds = {"formation factor": "fixed"} | ({"formation factor, periodic": "periodic"} if volume.periodic else {})
    wanted = [(name, boundary, phase, axis) for phase, axis in pairs for name, boundary in kinds.items()]
    store = checkpoint or NoStore()
    kept = store.load(_FACTORS)
    done = [] if kept is None else list(kept["values"])
    shown.begin(len(wanted), "formation factors in space")
    for _, boundary, phase, axis in wanted[len(done) :]:
        shown.update(len(done), f"{names[phase]} along {AXES[axis]}")
        done.append(formation_factor(volume, phase, axis, boundary=boundary, dtype="float32", device="cpu").value)
        store.save(_FACTORS, lambda: {"values": np.array(done)}, force=True)
    shown.end()
    rows += [(name, names[phase], AXES[axis], value, "") for (name, _, phase, axis), value in zip(wanted, done)]
    table = pd.DataFrame(rows, columns=["statistic", "phase", "axis", "value", "unit"])
    return table.astype({"value": np.float64})
