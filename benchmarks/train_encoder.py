"""Train the encoder `matlens`: a closed-form pruning of VGG-19, then distillation of its features and Gram matrices.

    python benchmarks/train_encoder.py --output build/encoder/main                 # what is shipped
    python benchmarks/train_encoder.py --output build/encoder/no-gram --gram 0      # what a part is worth
    python benchmarks/train_encoder.py --output build/encoder/no-cells --without cell_walls
    python benchmarks/train_encoder.py --output build/encoder/no-photographs --without photograph
    python benchmarks/train_encoder.py --output build/encoder/physics --physics 0.3 --labels 500

Needs the weights of VGG-19 (matlens fetch vgg19-oxford), which are the teacher. Images and the teacher's activations
are made once for a seed and kept beside the output; training stores its state and goes on where it was. Writes
matlens.safetensors (float16) and card.json: settings, hashes, and the unexplained variance of features and Gram
matrices on images that were not trained on. The loss needs linear heads to the teacher's channels; what is shipped of
them is their principal components (matlens.microstructure.pruning.width.read_out).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from encoder_images import SIDE, image
from matlens.microstructure.encoders import VGG19, load_encoder
from matlens.microstructure.encoders.base import pad
from matlens.microstructure.pruning.width import narrowed, read_out

WIDTHS = {"conv1_1": 16, "conv1_2": 32, "conv2_1": 48, "conv2_2": 64, "conv3_1": 64, "conv3_2": 64, "conv3_3": 64,
          "conv3_4": 64}  # fmt: skip
LAYERS = ("pool1", "pool2", "conv3_4")  # in the loss; conv1_1 keeps the teacher's own filters
HELD_OUT = 200  # images that nothing is trained on
START = 300  # images of the closed form
CONTRASTS = (10.0, 100.0)  # of conductivity and of stiffness, for the heads that see them


class Data:
    """Images and the teacher's activations, made once."""

    def __init__(self, folder: Path, count: int, seed: int, without: Sequence[str] = ()) -> None:
        self.teacher = load_encoder("vgg19-oxford")
        assert isinstance(self.teacher, VGG19)
        name = f"images-{seed}-{count}"
        folder.mkdir(parents=True, exist_ok=True)
        pictures, looks = folder / f"{name}.npy", folder / f"{name}.json"
        if not looks.exists():
            begun, made = time.time(), [image(number, seed) for number in range(count)]
            np.save(pictures, np.stack([np.broadcast_to(one.colours, (3, SIDE, SIDE)) for one in made]))
            looks.write_text(json.dumps([[one.kind, one.families, one.look] for one in made]))
            print(f"{count} images in {time.time() - begun:.0f} s", flush=True)
        self.images = torch.from_numpy(np.load(pictures))
        self.looks = json.loads(looks.read_text())
        self.folder, self.name = folder, name
        known = [row for row, (kind, families, _) in enumerate(self.looks) if not {kind, *families} & {*without}]
        self.rows = np.array([row for row in known if row >= HELD_OUT])  # to train on
        self.stored = {layer: self._stored(layer) for layer in LAYERS}
        self.mean_gram = {layer: self._mean_gram(layer) for layer in LAYERS}

    def prepared(self, images: Tensor) -> Tensor:
        """Colours as the teacher takes them."""
        mean, std = self.teacher.get_buffer("mean"), self.teacher.get_buffer("std")
        return ((images + 1) / 2 - mean) / std

    def targets(self, rows: Sequence[int]) -> dict[str, Tensor]:
        """The teacher's activations of images."""
        return {layer: torch.from_numpy(self.stored[layer][rows].astype(np.float32)) for layer in LAYERS}

    def _stored(self, layer: str) -> Any:
        path = self.folder / f"{self.name}-{layer}.npy"
        if not path.exists():
            begun = time.time()
            count = len(self.images)
            kept = {
                one: np.lib.format.open_memmap(
                    self.folder / f"{self.name}-{one}.part.npy", "w+", np.float16,
                    (count, self.teacher.layer(one).channels, *[SIDE // self.teacher.layer(one).stride] * 2),
                )
                for one in LAYERS
            }  # fmt: skip
            with torch.no_grad():
                for start in range(0, count, 8):
                    found = self.teacher.forward_layers(
                        self.prepared(self.images[start : start + 8]), frozenset(LAYERS), "circular"
                    )
                    for one in LAYERS:
                        kept[one][start : start + 8] = found[one].numpy()
            del kept
            for one in LAYERS:
                (self.folder / f"{self.name}-{one}.part.npy").rename(self.folder / f"{self.name}-{one}.npy")
            print(f"the teacher's activations in {time.time() - begun:.0f} s", flush=True)
        return np.load(path, mmap_mode="r")

    def _mean_gram(self, layer: str) -> tuple[Tensor, float, Tensor]:
        """Mean Gram matrix, mean squared distance from it, and the variance of each channel."""
        rows = list(range(0, len(self.images), max(len(self.images) // 200, 1)))
        found = self.targets(rows)[layer]
        grams = gram(found)
        mean = grams.mean(0)
        variance = found.var(dim=(0, 2, 3))
        return mean, float((grams - mean).square().sum((1, 2)).mean()), variance


class Student(nn.Module):
    """The narrow network with heads to the teacher's channels."""

    def __init__(self, weights: Mapping[str, Tensor], channels: Mapping[str, int], physics: bool) -> None:
        super().__init__()
        self.index = sorted({int(name.split(".")[1]) for name in weights if name.startswith("features.")})
        kernels, biases = ([weights[f"features.{i}.{part}"].clone() for i in self.index] for part in ("weight", "bias"))
        self.kernels = nn.ParameterList([nn.Parameter(one, requires_grad=n > 0) for n, one in enumerate(kernels)])
        self.biases = nn.ParameterList([nn.Parameter(one, requires_grad=n > 0) for n, one in enumerate(biases)])
        widths = dict(zip(WIDTHS, [len(bias) for bias in self.biases]))
        widths |= {"pool1": widths["conv1_2"], "pool2": widths["conv2_2"]}
        self.heads = nn.ModuleDict({layer: nn.Conv2d(widths[layer], channels[layer], 1) for layer in LAYERS})
        self.physics = nn.Linear(2 * (widths["pool2"] + widths["conv3_4"]), 4) if physics else None

    def forward(self, images: Tensor, padding: str = "circular", every: bool = False) -> dict[str, Tensor]:
        """Activations of the layers that have heads, or of all convolutions."""
        found = {}
        x = images
        for number, (layer, kernel, bias) in enumerate(zip(WIDTHS, self.kernels, self.biases)):
            x = functional.relu(functional.conv2d(pad(x, 1, padding), kernel, bias))
            found[layer] = x
            if layer in ("conv1_2", "conv2_2"):
                x = functional.avg_pool2d(x, 2)
                found[f"pool{1 if number == 1 else 2}"] = x
        return found if every else {layer: found[layer] for layer in LAYERS}

    def state(self) -> dict[str, Tensor]:
        """Weights with torchvision's names."""
        pairs = zip(self.index, self.kernels, self.biases)
        return {
            f"features.{i}.{part}": value.detach().clone().contiguous()
            for i, kernel, bias in pairs
            for part, value in (("weight", kernel), ("bias", bias))
        }


def gram(features: Tensor) -> Tensor:
    """Gram matrix of each image."""
    v = features.flatten(2)
    return v @ v.transpose(1, 2) / v.shape[-1]


def start(data: Data, random: int | None) -> dict[str, Tensor]:
    """Weights to begin with: the closed form, or random ones of the same shapes for comparison."""
    path = data.folder / f"{data.name}-{len(data.rows)}-closed-form.safetensors"
    if not path.exists():
        closed_form(data, path)
    weights = load_file(path)
    if random is not None:
        generator = torch.Generator().manual_seed(random)
        for name, value in weights.items():
            weights[name] = (
                torch.randn(value.shape, generator=generator) * (2 / value[0].numel()) ** 0.5
                if value.ndim > 1
                else torch.zeros_like(value)
            )
    return weights


def closed_form(data: Data, path: Path) -> None:
    """Prune VGG-19 for the grey images, without training."""
    phases = [to_two_phases(data.images[row]) for row in data.rows]
    grey = torch.stack([one for one in phases if one is not None][:START])
    begun = time.time()
    net = narrowed(data.teacher, [grey[i : i + 20] for i in range(0, len(grey), 20)], WIDTHS, "circular")
    print(f"closed form in {time.time() - begun:.0f} s", flush=True)
    save_file({name: value for name, value in net.stored().items() if name.startswith("features.")}, path)


def to_two_phases(picture: Tensor) -> Tensor | None:
    """Indicators of a grey image; None for colours."""
    if not torch.equal(picture[0], picture[1]):
        return None
    amount = (picture[0] + 1) / 2
    return torch.stack([1 - amount, amount])


def fitted_heads(student: Student, data: Data, rows: Sequence[int]) -> None:
    """Let the heads begin at their regressions."""
    sums: dict[str, list[Tensor]] = {}
    with torch.no_grad():
        for some in np.array_split(np.asarray(rows), max(len(rows) // 16, 1)):
            features, targets = student(data.images[some]), data.targets(list(some))
            for layer in LAYERS:
                x = features[layer].movedim(1, -1).reshape(-1, features[layer].shape[1])
                x = torch.cat([x, x.new_ones(len(x), 1)], 1)
                y = targets[layer].movedim(1, -1).reshape(len(x), -1)
                pair = [(x.T @ x).double(), (x.T @ y).double()]
                sums[layer] = [a + b for a, b in zip(sums[layer], pair)] if layer in sums else pair
        for layer, (inputs, products) in sums.items():
            ridge = 1e-6 * inputs.diagonal().mean() * torch.eye(len(inputs))
            matrix = torch.linalg.solve(inputs + ridge, products).float()
            head = student.heads[layer]
            head.weight.copy_(matrix[:-1].T[:, :, None, None])
            head.bias.copy_(matrix[-1])


def unexplained(student: Student, data: Data, rows: Sequence[int], features: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Unexplained variance of activations and of Gram matrices, by layer; about 1 for a network that knows nothing."""
    targets = data.targets(rows)
    found = {}
    for layer in LAYERS:
        guess, target = student.heads[layer](features[layer]), targets[layer]
        _, spread, variance = data.mean_gram[layer]
        error = (guess - target).square().mean(dim=(0, 2, 3))
        found[f"features {layer}"] = (error / (variance + 0.1 * variance.mean())).mean()
        found[f"gram {layer}"] = (gram(guess) - gram(target)).square().sum((1, 2)).mean() / spread
    return found


def physics_labels(data: Data, count: int) -> tuple[list[int], Tensor]:
    """Logarithms of conductivity and stiffness of sharp two-phase images, which are periodic, standardised."""
    path = data.folder / f"{data.name}-physics-{count}.npz"
    looks = enumerate(data.looks)
    rows = [i for i, (kind, _, look) in looks if kind == "two phases" and look in ("sharp", "rough")][:count]
    if not path.exists():
        import matlens as ml

        values = []
        for row in rows:
            labels = (data.images[row, 0].numpy() > 0).astype(np.uint8)
            m = ml.Microstructure(labels, periodic=True)
            if m.volume_fractions.min() <= 0:
                values.append([np.nan] * 4)
                continue
            line = []
            for contrast in CONTRASTS:
                made = ml.homogenize(m, conductivity={0: 1, 1: contrast})
                line.append(np.log(np.mean(np.diagonal(made.tensor))))
            for contrast in CONTRASTS:
                made = ml.homogenize(m, young={0: 1, 1: contrast}, poisson={0: 0.3, 1: 0.3})
                line.append(np.log(np.mean(np.diagonal(made.tensor)[:2])))
            values.append(line)
        np.savez(path, values=np.array(values))
    values = np.load(path)["values"]
    sound = np.isfinite(values).all(1)
    values = values[sound]
    return [row for row, good in zip(rows, sound) if good], torch.from_numpy(
        ((values - values.mean(0)) / values.std(0)).astype(np.float32)
    )


def pooled(features: Mapping[str, Tensor]) -> Tensor:
    """Means and standard deviations of two layers."""
    parts = [features[layer].flatten(2) for layer in ("pool2", "conv3_4")]
    return torch.cat([x for part in parts for x in (part.mean(2), part.std(2))], 1)


def evaluate(student: Student, data: Data) -> dict[str, float]:
    """Unexplained variances on the images held out."""
    total: dict[str, float] = {}
    with torch.no_grad():
        for first in range(0, HELD_OUT, 20):
            rows = list(range(first, first + 20))
            for name, value in unexplained(student, data, rows, student(data.images[rows])).items():
                total[name] = total.get(name, 0.0) + float(value) * 20 / HELD_OUT
    return total


def train(student: Student, data: Data, asked: argparse.Namespace) -> None:
    """Adam with a rate that falls along a cosine; the state is kept every 250 steps."""
    path = asked.output / "state.pt"
    optimiser = torch.optim.Adam([one for one in student.parameters() if one.requires_grad], lr=asked.rate)
    done = 0
    if path.exists():
        kept = torch.load(path, weights_only=True)
        student.load_state_dict(kept["student"])
        optimiser.load_state_dict(kept["optimiser"])
        done = kept["done"]
    labelled: dict[int, Tensor] = {}
    if asked.physics:
        rows, values = physics_labels(data, asked.labels)
        labelled = {row: value for row, value in zip(rows, values) if row >= HELD_OUT}
    begun, shown = time.process_time(), []
    for step in range(done, asked.steps):
        # The order of a step depends on its number alone, so that a resumed training is the same training.
        order = data.rows[np.random.default_rng([asked.seed, step]).integers(0, len(data.rows), asked.batch)]
        falling = 0.02 + 0.49 * (1 + math.cos(math.pi * step / asked.steps))
        rate = asked.rate * falling * min(1.0, (step + 1) / 100)
        for group in optimiser.param_groups:
            group["lr"] = rate
        rows = [int(row) for row in order]
        features = student(data.images[rows])
        parts = unexplained(student, data, rows, features)
        loss = sum((asked.gram if name.startswith("gram") else asked.features) * value for name, value in parts.items())
        if asked.physics and (some := [i for i, row in enumerate(rows) if row in labelled]):
            guess = student.physics(pooled({layer: x[some] for layer, x in features.items()}))
            loss = loss + asked.physics * (guess - torch.stack([labelled[rows[i]] for i in some])).square().mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 10.0)
        optimiser.step()
        shown.append([float(value.detach()) for value in parts.values()])
        if (step + 1) % 250 == 0 or step + 1 == asked.steps:
            kept = {"student": student.state_dict(), "optimiser": optimiser.state_dict(), "done": step + 1}
            torch.save(kept, path.with_suffix(".part"))
            path.with_suffix(".part").rename(path)
            text = ", ".join(f"{name} {value:.4f}" for name, value in zip(parts, np.mean(shown, 0)))
            print(
                f"{step + 1} of {asked.steps}, {time.process_time() - begun:.0f} s of processor time: {text}",
                flush=True,
            )
            shown = []


def finished(student: Student, data: Data) -> dict[str, Tensor]:
    """Weights with a read-out for every convolution, fitted on images trained on."""
    weights = student.state()
    rows = data.rows[:START]
    wanted = frozenset(WIDTHS)
    with torch.no_grad():
        full = [data.teacher.forward_layers(data.prepared(data.images[rows[i : i + 20]]), wanted, "circular")
                for i in range(0, START, 20)]  # fmt: skip
        narrow = [student(data.images[rows[i : i + 20]], every=True) for i in range(0, START, 20)]
    for layer, index in zip(WIDTHS, student.index):
        weights |= read_out(index, [x[layer] for x in narrow], [x[layer] for x in full])
    return {name: value.half().contiguous() for name, value in weights.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("build/encoder/main"))
    parser.add_argument("--images", type=int, default=5400)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--features", type=float, default=1.0, help="weight of the activations in the loss")
    parser.add_argument("--gram", type=float, default=1.0, help="weight of the Gram matrices in the loss")
    parser.add_argument("--physics", type=float, default=0.0, help="weight of conductivity and stiffness in the loss")
    parser.add_argument("--labels", type=int, default=10**6, help="largest number of images with computed properties")
    parser.add_argument("--without", nargs="+", default=[], help="families or kinds of images to leave out")
    parser.add_argument("--random", action="store_true", help="begin with random weights instead of the closed form")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    asked.output.mkdir(parents=True, exist_ok=True)
    data = Data(asked.output.parent, asked.images, asked.seed, asked.without)
    torch.manual_seed(asked.seed)
    channels = {layer: data.teacher.layer(layer).channels for layer in LAYERS}
    student = Student(start(data, asked.seed if asked.random else None), channels, bool(asked.physics))
    fitted_heads(student, data, data.rows[:START])
    before = evaluate(student, data)
    print("before:", {name: round(value, 4) for name, value in before.items()}, flush=True)
    if asked.steps:
        train(student, data, asked)
    weights = finished(student, data)
    file = asked.output / "matlens.safetensors"
    save_file(weights, file)
    settings = {name: str(value) if isinstance(value, Path) else value for name, value in vars(asked).items()}
    settings.pop("output")
    card = {
        "settings": settings,
        "teacher": data.teacher.source,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "bytes": file.stat().st_size,
        "unexplained variance before training": before,
        "unexplained variance on held-out images": evaluate(student, data),
        "torch": torch.__version__,
    }
    (asked.output / "card.json").write_text(json.dumps(card, indent=1))
    print(json.dumps(card["unexplained variance on held-out images"], indent=1))
    assert load_file(file).keys() == weights.keys()


if __name__ == "__main__":
    main()
