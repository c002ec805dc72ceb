"""Layers with backward passes written by hand against plain `torch.bmm` and autograd, as a share of a whole `learn`.

    python benchmarks/layers.py                     # both presets on a photoanode library of 150 samples, one thread
    python benchmarks/layers.py --presets default --samples 300 --repeats 5

One `learn` is what the command does: checks, the ensemble of all samples, and trials on compositions left out with all
baselines (one partition into three folds). It runs once; then each of its trainings is repeated both ways in turn.
Seconds are of the processor, so that ratios hold on a machine that does other things. Writes
build/benchmark/layers.json.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from matlens.library.baselines import BASELINES
from matlens.library.model import LibraryModel, ensemble, model
from matlens.library.model.ensemble import Ensemble
from matlens.library.model.networks.stacked import Inputs, StackedNetwork
from matlens.library.model.presets.default import DEFAULT
from matlens.library.model.presets.preset import Preset, Stage
from matlens.library.model.presets.registry import PRESETS
from matlens.library.model.presets.umehara2019.layers import Convolution, Dense, Dropout, Layer
from matlens.library.model.presets.umehara2019.network import JoinedNetwork
from matlens.library.model.presets.umehara2019.preset import UMEHARA2019
from matlens.library.problems import photoanode
from matlens.library.table import MaterialsLibrary
from matlens.library.validation import PARTITIONS, check_library, held_out

FILE = Path("build/benchmark/layers.json")
Training = tuple[Any, ...]  # what `train` is given: preset, stages, data


class Silu(Layer):
    """x times the logistic function of x, with its backward pass by hand: what the preset ``default`` once had."""

    def forward(self, x: Tensor) -> Tensor:
        """Sigmoid linear unit."""
        self.x = x
        out = self.buffer("out", x.shape, x)
        torch.ops.aten.silu.out(x, out=out)
        return out

    def backward(self, gradient: Tensor, *, inputs: bool) -> Tensor | None:
        """Derivative from the input, which the layer before still holds."""
        torch.ops.aten.silu_backward.grad_input(gradient, self.x, grad_input=gradient)
        return gradient


def default_by_hand(stage: Stage, sizes: Mapping[str, int], members: int, device: str | torch.device) -> JoinedNetwork:
    """Give the network of ``default`` with backward passes by hand."""
    layers: list[Layer] = []
    for name, shape in DEFAULT.network(stage, sizes, 1, "cpu").shapes.items():
        if name.endswith("weight"):
            layers += [Silu(), Dense(*shape)]
    return JoinedNetwork({name: [] for name in stage.inputs}, layers[1:], members, device)


class PlainJoinedNetwork(JoinedNetwork):
    """The network of ``umehara2019``, whose gradients autograd takes."""

    def forward(self, inputs: Inputs, bits: Tensor | None = None) -> Tensor:
        """Output of each member, shape (m, B)."""
        with torch.enable_grad():
            self.leaves = [value.detach().requires_grad_() for value in self.named.values()]
            named = dict(zip(self.named, self.leaves, strict=True))
            parts = [
                self._plain(name, layers, inputs[name], named, dropping=bits is not None)
                for name, layers in self.branches.items()
            ]
            self.out = self._plain("head", self.head, torch.cat(parts, 2), named, dropping=False)[..., 0]
        return self.out.detach()

    def backward(self, gradient: Tensor, *, inputs: bool = False) -> dict[str, Tensor]:
        """Carry the loss' gradient to the parameters."""
        found = torch.autograd.grad(self.out, self.leaves, gradient)
        torch.cat([each.flatten() for each in found], out=self.gradient)
        return {}

    @staticmethod
    def _plain(prefix: str, layers: list[Layer], x: Tensor, named: dict[str, Tensor], dropping: bool) -> Tensor:
        for number, layer in enumerate(layers):
            x = plain(layer, x, named, f"{prefix}.{number}", dropping)
        return x


def plain(layer: Layer, x: Tensor, named: dict[str, Tensor], name: str, dropping: bool) -> Tensor:
    """One layer of all members in torch's own operations."""
    if isinstance(layer, Dense):
        return torch.baddbmm(named[f"{name}.bias"][:, None], x, named[f"{name}.weight"])
    if isinstance(layer, Convolution):
        weight, bias = named[f"{name}.weight"], named[f"{name}.bias"]
        kernel = weight.permute(0, 2, 1).reshape(-1, 1, layer.width)
        found = torch.nn.functional.conv1d(x.transpose(0, 1), kernel, bias.flatten(), groups=len(x))
        return found.unflatten(1, (len(x), layer.filters)).permute(1, 0, 3, 2).flatten(2)
    if isinstance(layer, Dropout):
        return torch.nn.functional.dropout(x, 0.5**layer.halvings) if dropping else x
    return torch.nn.functional.elu(x)


def umehara2019_plain(
    stage: Stage, sizes: Mapping[str, int], members: int, device: str | torch.device
) -> PlainJoinedNetwork:
    """Give the network of ``umehara2019`` without backward passes by hand."""
    made = UMEHARA2019.network(stage, sizes, 1, device)
    assert isinstance(made, JoinedNetwork)
    return PlainJoinedNetwork(made.branches, made.head, members, device)


WAYS = {  # by hand, autograd
    "default": (default_by_hand, DEFAULT.network),
    "umehara2019": (UMEHARA2019.network, umehara2019_plain),
}


def trainings_of(library: MaterialsLibrary, preset: str, members: int) -> tuple[list[Training], float]:
    """Learn as the command does; returns what was trained, and the seconds of all else."""
    found: list[Training] = []
    trained = 0.0

    def train(*given: Any, **_: Any) -> Ensemble:
        nonlocal trained
        begun = time.process_time()
        networks = ensemble.train(*given)
        trained += time.process_time() - begun
        found.append(given)
        return networks

    begun = time.process_time()
    with patch.object(model, "train", train):
        check_library(library)
        LibraryModel(preset, n_models=members).fit(library)
        folds = PARTITIONS["grouped"](library, 3, 1, 0)
        own = partial(LibraryModel, preset, n_models=max(members // 5, 1), resample="groups")
        held_out(own, library, folds)
        for name, make in BASELINES.items():
            held_out(make, library, folds, name=name)
    return found, time.process_time() - begun - trained


def trained(trainings: list[Training], network: Callable[..., StackedNetwork]) -> tuple[float, list[Tensor]]:
    """Repeat trainings with one kind of network: seconds, and what each ends with."""
    begun, ends = time.process_time(), []
    for preset, *given in trainings:
        ends.append(next(iter(ensemble.train(replace(preset, network=network), *given).parameters.values())))
    return time.process_time() - begun, ends


def compare(library: MaterialsLibrary, preset: str, members: int, repeats: int) -> list[dict[str, Any]]:
    """Measure both ways in turn; ratios are within a repeat."""
    trainings, rest = trainings_of(library, preset, members)
    rows = []
    for repeat in range(repeats):
        by_hand, one = trained(trainings, WAYS[preset][0])
        plainly, other = trained(trainings, WAYS[preset][1])
        apart = max(float((a - b).abs().max() / a.abs().max()) for a, b in zip(one, other, strict=True))
        row = {"preset": preset, "repeat": repeat, "rest": rest, "by hand": by_hand, "autograd": plainly}
        row |= {"training ratio": plainly / by_hand, "learn ratio": (rest + plainly) / (rest + by_hand)}
        rows.append(row | {"share of learn": by_hand / (rest + by_hand), "parameters apart": apart})
        words = (
            f"{key} {value if isinstance(value, str) else format(value, '.3g')}" for key, value in rows[-1].items()
        )
        print(", ".join(words), flush=True)
    return rows


def shortened(preset: Preset, share: float) -> Preset:
    """Take a share of the epochs: the published preset's 1300 would not fit into a benchmark."""

    def stages(inputs: tuple[str, ...]) -> tuple[Stage, ...]:
        return tuple(replace(one, epochs=max(round(share * one.epochs), 1)) for one in preset.stages(inputs))

    return replace(preset, stages=stages)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", default=["default", "umehara2019"], choices=list(PRESETS))
    parser.add_argument("--samples", type=int, default=150)
    parser.add_argument("--members", type=int, default=50)
    parser.add_argument("--epochs", type=float, default=1.0, help="share of the presets' epochs")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    library, rows = photoanode(args.samples, seed=100).library, []
    for name in args.presets:
        with patch.dict(PRESETS, {name: shortened(PRESETS[name], args.epochs)}):
            rows += compare(library, name, args.members, args.repeats)
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
