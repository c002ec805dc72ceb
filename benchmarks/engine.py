"""Where the time of a reconstruction goes, and the memory it takes, by size.

    python benchmarks/engine.py --encoder matlens --sizes 128 256 512 1024 --markdown table.md

Each size is a process of one thread. The network's own time is that of the features and Gram matrices of the loss
layers with their gradient, measured alone at each level of the schedule and multiplied by the evaluations there; so
"whole / network" says what all the rest costs. Seconds are of the processor, so that other work on the machine matters
less. The forecast is that of the plan.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

PARTS = ("network", "other terms", "optimiser", "pixel swaps", "mending", "rest")


@contextmanager
def timed(parts: dict[str, float], owner: Any, name: str, part: str) -> Iterator[None]:
    """Add the processor time of a function to a part, without what timed functions inside it take."""
    inner: Callable[..., Any] = getattr(owner, name)

    def wrapper(*args: Any, **options: Any) -> Any:
        before, begun = sum(parts.values()), time.process_time()
        try:
            return inner(*args, **options)
        finally:
            parts[part] += time.process_time() - begun - (sum(parts.values()) - before)

    with patch.object(owner, name, wrapper):
        yield


def network_seconds(problem: Any, fractions: Any, factor: int, repeats: int = 7) -> float:
    """Median seconds of the features and Gram matrices of one level with their gradient."""
    import torch

    from matlens.microstructure.reconstruction.matching.terms import Gram, Sample

    found = problem.match(factor, fractions)
    terms = [term for term in found.terms if isinstance(term, Gram)]
    start = torch.rand(1, problem.code.n_phases - 1, *(side // factor for side in problem.size))
    spent = []
    for _ in range(repeats):
        begun = time.process_time()
        x = start.clone().requires_grad_(True)
        indicators = problem.code.indicators(x)
        sample = Sample(indicators, found.encoder.features(indicators, found.layers, "circular"))
        torch.autograd.grad(torch.stack([term(sample) for term in terms]).sum(), x)
        spent.append(time.process_time() - begun)
    return sorted(spent)[repeats // 2]


def one(material: str, encoder: str, preset: str, side: int, seed: int) -> dict[str, Any]:
    """Reconstruct at one size, and take the time apart."""
    import torch

    from matlens import read_microstructure
    from matlens.core.registry import locate
    from matlens.hooks import NoStore, Silent
    from matlens.microstructure.reconstruction import plan
    from matlens.microstructure.reconstruction.matching import decoding, engine, method
    from matlens.microstructure.reconstruction.matching.optimisers.lbfgs import LBFGS

    torch.set_num_threads(1)
    exemplar = read_microstructure(locate(f"li2018_{material}.npy")).crop(slice(0, 128), slice(0, 128))
    work = plan(exemplar, (side, side), encoder=encoder, preset=preset, seed=seed)
    problem, parts, calls = work.prepared.problem, defaultdict[str, float](float), defaultdict[int, int](int)
    fractions = torch.tensor(exemplar.volume_fractions, dtype=torch.float32)
    own = {factor: network_seconds(problem, fractions, factor) for factor in problem.factors}
    problem.matches.clear()
    evaluate = engine._Objective.__call__

    def counted(self: Any, x: Any) -> Any:
        calls[problem.size[0] // x.shape[-2]] += 1
        return evaluate(self, x)

    with ExitStack() as stack:
        stack.enter_context(patch.object(engine._Objective, "__call__", counted))
        stack.enter_context(timed(parts, engine._Objective, "__call__", "loss"))
        stack.enter_context(timed(parts, LBFGS, "step", "optimiser"))
        stack.enter_context(timed(parts, decoding, "swap_pixels", "pixel swaps"))
        stack.enter_context(timed(parts, decoding, "mend_throats", "mending"))
        stack.enter_context(timed(parts, method, "decode_field", "rest"))
        begun = time.process_time()
        work.run(Silent(), NoStore())
        whole = time.process_time() - begun
    network = sum(own[factor] * count for factor, count in calls.items())
    parts["network"], parts["other terms"] = network, parts.pop("loss") - network
    parts["rest"] += whole - sum(parts.values())
    fine = own[1] / side**2
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "side": side,
        "evaluations": sum(calls.values()),
        "network_us": 1e6 * fine,
        "whole": whole,
        "network": network,
        "parts": {name: parts[name] / whole for name in PARTS},
        "forecast": work.cost,
        "peak": peak,
    }


def table(rows: list[dict[str, Any]], asked: argparse.Namespace) -> str:
    """One row for each size."""
    names = ["side", "network, us/px", "whole, s", "whole / network", *PARTS, "peak, GB", "forecast, s", "forecast, GB"]
    lines = [
        f"Encoder {asked.encoder}, preset {asked.preset}, {asked.material}, seed {asked.seed}, one thread; parts are "
        "shares of the whole, peak and forecast of memory include or leave out Python and its packages.",
        "",
        "| " + " | ".join(names) + " |",
        "|---" * len(names) + "|",
    ]
    for row in rows:
        seconds, memory = row["forecast"]
        shares = [f"{row['parts'][name]:.3f}" for name in PARTS]
        lines.append(
            f"| {row['side']} | {row['network_us']:.2f} | {row['whole']:.1f} | {row['whole'] / row['network']:.2f} | "
            + " | ".join(shares)
            + f" | {row['peak'] / 1e9:.2f} | {seconds:.1f} | {memory / 1e9:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256, 512])
    parser.add_argument("--encoder", default="matlens")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--material", default="alloy")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(one(asked.material, asked.encoder, asked.preset, asked.one, asked.seed)))
        return
    rows = []
    for side in asked.sizes:
        # A process of its own: the peak of its memory is that of this size.
        done = subprocess.run([sys.executable, *sys.argv, "--one", str(side)], stdout=subprocess.PIPE, check=True)
        rows.append(json.loads(done.stdout))
        print(json.dumps(rows[-1]), flush=True)
    text = table(rows, asked)
    print(text)
    if asked.markdown:
        asked.markdown.write_text(text + "\n")


if __name__ == "__main__":
    main()
