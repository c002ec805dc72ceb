"""The work of ``matlens draws``."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pandas as pd

from draws.spec import DrawsSpec
from matlens.runs.codecs import ARRAYS
from matlens.runs.command import Prepared, options_of
from matlens.runs.resumable import each
from matlens.runs.state_store import RunStateStore
from matlens.runs.tables import write_table


def prepare(spec, environment):
    return Prepared(spec, f"{spec.n} draws")


def work(run, progress, found=None):
    spec = options_of(run, DrawsSpec)
    store = RunStateStore(run, "steps/", interval=0.0)

    def draw(index):
        key = str(index)
        if key in spec.fail:
            raise ValueError(f"draw {key} was asked to fail.")
        if key in spec.kill:
            os.kill(os.getpid(), signal.SIGKILL)
        state = store.load(key) if spec.steps > 1 else None
        total, begun = (0.0, 0) if state is None else (float(state["total"]), int(state["step"]))
        for step in range(begun, spec.steps):
            progress.begin(spec.steps, f"draw {key}")
            progress.update(step)
            time.sleep(spec.seconds)
            total += float(np.random.default_rng([spec.seed, index, step]).random())
            if spec.steps > 1:
                kept = {"total": np.array(total), "step": np.array(step + 1)}
                store.save(key, lambda: kept)  # noqa: B023
        if spec.steps > 1:
            store.drop(key)
        return {"total": np.array(total)}

    items = {str(index): index for index in range(spec.n)}
    made = each(run, "draw", items, draw, ARRAYS, progress=progress, label="draws")
    totals = [float(one["total"]) for one in made.values()]
    write_table(run, "draws", pd.DataFrame({"draw": list(made), "total": totals}))
    run.spend("draw")
