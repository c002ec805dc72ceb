"""Time of one iteration of a volume by MCRpy (Seibert et al., 2022), from one section; run by a Python that has it.

    PYTHON volumes_mcrpy.py EXEMPLAR.npy SIDE

Two-point correlations and variation with the weights of its own introduction, at a single level; all else is its
default. One iteration is the difference between reconstructions of three iterations and of one, divided by two.
"""

import resource
import sys
import time

import mcrpy
import numpy as np

from reconstruction_mcrpy import LIMIT, TYPES, WEIGHTS


def main(given: str, side: int) -> None:
    labels = np.load(given, allow_pickle=False)
    exemplar = mcrpy.Microstructure(labels.astype(np.float64), use_multiphase=False, trainable=False)
    seen = mcrpy.CharacterizationSettings(descriptor_types=TYPES, limit_to=LIMIT, use_multiphase=False)
    # Reconstruction asks for the settings, which characterisation leaves out.
    wanted = {**mcrpy.merge([mcrpy.characterize(exemplar, seen)]), "settings": seen}
    seconds = []
    for count in (1, 3):
        asked = mcrpy.ReconstructionSettings(
            descriptor_types=TYPES,
            descriptor_weights=WEIGHTS,
            limit_to=LIMIT,
            max_iter=count,
            use_multigrid_reconstruction=False,
            use_multiphase=False,
        )
        begun = time.process_time()
        _, result = mcrpy.reconstruct(dict(wanted), (side,) * 3, settings=asked)
        seconds.append(time.process_time() - begun)
        print(f"{count} iterations: {seconds[-1]:.0f} s of processor time", np.asarray(result.decode_phases()).shape)
    print(f"an iteration: {(seconds[1] - seconds[0]) / 2:.1f} s")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
