"""Run directories: settings, provenance, progress, checkpoints, and the steps of each command.

The names below load on first use: asking a finished run for its report must not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matlens.runs.characterize import characterize_in
    from matlens.runs.checkpoint import RunCheckpoint
    from matlens.runs.citations import bibtex, citation_keys
    from matlens.runs.compare import compare_files_in, compare_in
    from matlens.runs.directory import RunDirectory
    from matlens.runs.explain_library import ExplainLibraryOrder, explain_library_in
    from matlens.runs.feature_cache import FeatureCache
    from matlens.runs.generate import GenerateOrder, generate_in
    from matlens.runs.homogenize import HomogenizeOrder, homogenize_in
    from matlens.runs.inputs import Inputs, numbered, read_inputs, read_results, stored_inputs
    from matlens.runs.learn import LearnOrder, ModelOptions, learn_in
    from matlens.runs.learn_library import LearnLibraryOrder, LibraryModelOptions, Scoring, learn_library_in
    from matlens.runs.learn_tables import read_predictions
    from matlens.runs.library_source import LibrarySource, is_library
    from matlens.runs.lifecycle import working
    from matlens.runs.lock import Lock
    from matlens.runs.machine import chosen_device, set_threads
    from matlens.runs.models import kind_of_model
    from matlens.runs.predict import PredictOrder, predict_in
    from matlens.runs.predict_library import PredictLibraryOrder, predict_library_in
    from matlens.runs.progress import progress_for
    from matlens.runs.provenance import environment, mismatches, sha256
    from matlens.runs.prune import PruneOrder, cell_folder, prune_in
    from matlens.runs.rebuild import RebuildOrder, rebuild_in
    from matlens.runs.reconstruct import Order, reconstruct_in, resolved
    from matlens.runs.sensitivity import ExplainOrder, sensitivity_in
    from matlens.runs.signals import stoppable
    from matlens.runs.suggest import SuggestOrder, Wishes, suggest_in
    from matlens.runs.tables import read_table, write_table

_EXPORTS = {
    "ExplainLibraryOrder": "explain_library",
    "ExplainOrder": "sensitivity",
    "FeatureCache": "feature_cache",
    "GenerateOrder": "generate",
    "HomogenizeOrder": "homogenize",
    "Inputs": "inputs",
    "LearnLibraryOrder": "learn_library",
    "LearnOrder": "learn",
    "LibraryModelOptions": "learn_library",
    "LibrarySource": "library_source",
    "Lock": "lock",
    "ModelOptions": "learn",
    "Order": "reconstruct",
    "PredictLibraryOrder": "predict_library",
    "PredictOrder": "predict",
    "PruneOrder": "prune",
    "RebuildOrder": "rebuild",
    "RunCheckpoint": "checkpoint",
    "RunDirectory": "directory",
    "Scoring": "learn_library",
    "SuggestOrder": "suggest",
    "Wishes": "suggest",
    "bibtex": "citations",
    "cell_folder": "prune",
    "characterize_in": "characterize",
    "chosen_device": "machine",
    "citation_keys": "citations",
    "compare_files_in": "compare",
    "compare_in": "compare",
    "environment": "provenance",
    "explain_library_in": "explain_library",
    "generate_in": "generate",
    "homogenize_in": "homogenize",
    "is_library": "library_source",
    "kind_of_model": "models",
    "learn_in": "learn",
    "learn_library_in": "learn_library",
    "mismatches": "provenance",
    "numbered": "inputs",
    "predict_in": "predict",
    "predict_library_in": "predict_library",
    "progress_for": "progress",
    "prune_in": "prune",
    "read_inputs": "inputs",
    "read_predictions": "learn_tables",
    "read_results": "inputs",
    "read_table": "tables",
    "rebuild_in": "rebuild",
    "reconstruct_in": "reconstruct",
    "resolved": "reconstruct",
    "sensitivity_in": "sensitivity",
    "set_threads": "machine",
    "sha256": "provenance",
    "stoppable": "signals",
    "stored_inputs": "inputs",
    "suggest_in": "suggest",
    "working": "lifecycle",
    "write_table": "tables",
}

__all__ = [
    "ExplainLibraryOrder",
    "ExplainOrder",
    "FeatureCache",
    "GenerateOrder",
    "HomogenizeOrder",
    "Inputs",
    "LearnLibraryOrder",
    "LearnOrder",
    "LibraryModelOptions",
    "LibrarySource",
    "Lock",
    "ModelOptions",
    "Order",
    "PredictLibraryOrder",
    "PredictOrder",
    "PruneOrder",
    "RebuildOrder",
    "RunCheckpoint",
    "RunDirectory",
    "Scoring",
    "SuggestOrder",
    "Wishes",
    "bibtex",
    "cell_folder",
    "characterize_in",
    "chosen_device",
    "citation_keys",
    "compare_files_in",
    "compare_in",
    "environment",
    "explain_library_in",
    "generate_in",
    "homogenize_in",
    "is_library",
    "kind_of_model",
    "learn_in",
    "learn_library_in",
    "mismatches",
    "numbered",
    "predict_in",
    "predict_library_in",
    "progress_for",
    "prune_in",
    "read_inputs",
    "read_predictions",
    "read_results",
    "read_table",
    "rebuild_in",
    "reconstruct_in",
    "resolved",
    "sensitivity_in",
    "set_threads",
    "sha256",
    "stoppable",
    "stored_inputs",
    "suggest_in",
    "working",
    "write_table",
]


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'matlens.runs' has no attribute {name!r}")
    value = getattr(import_module(f"matlens.runs.{_EXPORTS[name]}"), name)
    globals()[name] = value
    return value
