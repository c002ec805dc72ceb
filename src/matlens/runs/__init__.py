"""Run directories: settings, provenance, progress, checkpoints, and the steps of each command."""

from matlens.runs.checkpoint import RunCheckpoint
from matlens.runs.directory import RunDirectory
from matlens.runs.lock import Lock
from matlens.runs.progress import progress_for
from matlens.runs.provenance import environment, mismatches, sha256
from matlens.runs.signals import stoppable

__all__ = [
    "Lock",
    "RunCheckpoint",
    "RunDirectory",
    "environment",
    "mismatches",
    "progress_for",
    "sha256",
    "stoppable",
]
