"""The steps of ``demo``: a reconstruction of each material in a run directory of its own below the run."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matlens.core.registry import locate
from matlens.errors import InputError, ResourceError, RunError
from matlens.hooks import Progress
from matlens.microstructure.commands.demo.spec import DemoSpec
from matlens.microstructure.commands.reconstruct.spec import COMMAND as RECONSTRUCT
from matlens.microstructure.commands.reconstruct.spec import ReconstructSpec
from matlens.report.members import work_on_member
from matlens.runs.command import Prepared, options_of
from matlens.runs.directory import RunDirectory

__all__ = ["prepare", "work"]

DEMO = {"gravel": "problem:gravel"}
_PAPER = ("alloy", "carbonate", "ceramics", "composite", "copolymer", "pmma", "sandstone")
_SHAPE = (128, 128)


def prepare(spec: DemoSpec, environment: Mapping[str, Any]) -> Prepared:
    """Find the micrographs of the demonstration.

    Parameters
    ----------
    spec : DemoSpec
        Options of the command.
    environment : mapping
        Device, threads and versions that the run works with.

    Returns
    -------
    Prepared
        The options with every ``auto`` resolved, what is kept in settings.toml besides, and the inputs read.

    Raises
    ------
    ResourceError
        If the images of the paper are not at hand.
    """
    files = _paper_files() if spec.paper else DEMO
    settings = {
        "token": secrets.token_hex(4),  # tells members of this run from those of one that --force replaces
        "members": list(files),
        "files": dict(files),
    }
    size = "x".join(str(side) for side in _SHAPE)
    return Prepared(spec, f"{', '.join(files)}: {size} px each, seed {spec.seed}", settings)


def work(run: RunDirectory, progress: Progress, found: None = None) -> None:
    """Reconstruct every material below the run; those that are finished are left alone.

    Parameters
    ----------
    run : RunDirectory
        Open; may hold the beginning of the same work.
    progress : Progress
        Shows how far each reconstruction is.
    found : None
        Members read their own inputs.

    Raises
    ------
    RunError
        If no micrograph could be reconstructed.
    """
    seed, device = options_of(run, DemoSpec).seed, run.settings["environment"]["device"]
    failed: dict[str, str] = {}
    for name, source in run.settings["files"].items():
        asked = ReconstructSpec(files=(source,), shape=_SHAPE, seed=seed, device=device)
        try:
            work_on_member(run, name, RECONSTRUCT, asked, progress)
        except (InputError, ResourceError) as error:  # of this micrograph alone; a full disk would stop the others too
            failed[name] = str(error)
    if len(failed) == len(run.settings["files"]):
        raise RunError(f"no micrograph could be reconstructed: {'; '.join(failed.values())}")
    run.mark("running", failed=failed)


def _paper_files() -> dict[str, str]:
    found = {name: locate(f"li2018_{name}.npy") for name in _PAPER}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise ResourceError(
            f"the images of Li et al. 2018 are not at hand ({', '.join(missing)}); run 'matlens fetch li2018' first, "
            "or name their folder in MATLENS_DATA."
        )
    return {name: str(Path(str(path)).absolute()) for name, path in found.items()}
