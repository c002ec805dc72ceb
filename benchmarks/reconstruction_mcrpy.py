"""One realisation by MCRpy (Seibert et al., J. Open Source Softw. 7(75):4280, 2022); run by a Python that has it.

    PYTHON reconstruction_mcrpy.py EXEMPLAR.npy RESULT.npy SEED

Two-point correlations and variation with the weights of its own introduction, coarse to fine; all else is its default.
Fractions are left as they come out.
"""

import sys

import mcrpy
import numpy as np
import tensorflow as tf

LIMIT = 16
TYPES, WEIGHTS = ["Correlations", "Variation"], [1.0, 10.0]


def main(given: str, made: str, seed: int) -> None:
    np.random.seed(seed)  # noqa: NPY002 (MCRpy draws from the old generator)
    tf.random.set_seed(seed)
    labels = np.load(given, allow_pickle=False)
    several = bool(labels.max() > 1)
    exemplar = mcrpy.Microstructure(labels.astype(np.float64), use_multiphase=several, trainable=False)
    seen = mcrpy.CharacterizationSettings(descriptor_types=TYPES, limit_to=LIMIT, use_multiphase=several)
    asked = mcrpy.ReconstructionSettings(
        descriptor_types=TYPES,
        descriptor_weights=WEIGHTS,
        limit_to=LIMIT,
        use_multigrid_reconstruction=True,
        use_multiphase=several,
    )
    _, result = mcrpy.reconstruct(mcrpy.characterize(exemplar, seen), labels.shape, settings=asked)
    found = np.rint(np.asarray(result.decode_phases())).reshape(labels.shape)
    np.save(made, np.clip(found, 0, labels.max()).astype(np.uint8), allow_pickle=False)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
