"""Encoders: weights, preprocessing and named layers as one object."""

from matlens.encoders.base import Encoder, Layer, Padding
from matlens.encoders.filterbank import FilterBank
from matlens.encoders.loading import ENCODERS, load_encoder, resolve_encoder
from matlens.encoders.vgg19 import VGG19, phase_colours, random_weights

__all__ = [
    "ENCODERS",
    "VGG19",
    "Encoder",
    "FilterBank",
    "Layer",
    "Padding",
    "load_encoder",
    "phase_colours",
    "random_weights",
    "resolve_encoder",
]
