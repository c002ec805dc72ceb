"""Learning: labelled structures, and models that predict the properties of microstructures."""

from matlens.learning.datasets import StructureSet, join_structures, read_structures
from matlens.learning.generation import Recipe
from matlens.learning.storage import read_model, write_model
from matlens.learning.structure_property import StructurePropertyModel
from matlens.learning.structures import read_folder, read_labelled
from matlens.learning.workers import generate_structures

__all__ = [
    "Recipe",
    "StructurePropertyModel",
    "StructureSet",
    "generate_structures",
    "join_structures",
    "read_folder",
    "read_labelled",
    "read_model",
    "read_structures",
    "write_model",
]
