"""R, verdicts and copy test of the benchmark's results; each judgement is kept beside the records it rests on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import matlens
from matlens.microstructure.statistics import CopyTest, Variability, joint_verdict, pasted_blocks
from reconstruction_materials import corner, image_of

Row = dict[str, Any]
FLOOR = "perfect copy, other windows"


class Judge:
    """The windows of one image, computed when a judgement is not at hand.

    Results are judged at their own size and at half of it, as `matlens.compare` does with ``window``.
    """

    def __init__(self, material: str, size: int, folder: Path) -> None:
        self.material, self.size, self.folder = material, size, folder
        self.image = image_of(material, folder)
        self.exemplar = corner(self.image, size)

    @cached_property
    def windows(self) -> dict[str, tuple[int, Variability]]:
        sizes = (self.size, self.size // 2)
        return {f"{n}x{n}": (n, Variability(list(self.image.tiles((n, n))))) for n in sizes}

    @cached_property
    def test(self) -> CopyTest:
        return CopyTest([self.exemplar])

    def judge(self, source: str, key: str, results: list[Any]) -> tuple[list[Row], list[Row]]:
        """R at both window sizes and the copy test of results of one method."""
        return self._kept(key, results, lambda: (self._ratios(source, results), self._copying(source, results)))

    def common(self) -> tuple[list[Row], list[Row]]:
        """What belongs to no method: the floor that the exemplar sets, and the blocks that must fail the copy test."""
        return self._kept("floor", [], lambda: (self._floor(), self._pasted()))

    def _ratios(self, source: str, results: list[Any]) -> list[pd.DataFrame]:
        tables = []
        for name, (side, windows) in self.windows.items():
            table = windows.ratios([part for result in results for part in result.tiles((side, side))])
            tables.append(table.assign(source=source, window=name, joint=joint_verdict(table)))
        return tables

    def _copying(self, source: str, results: list[Any]) -> list[pd.DataFrame]:
        return [self.test(result).assign(source=source, realisation=i) for i, result in enumerate(results)]

    def _floor(self) -> list[pd.DataFrame]:
        """R of the exemplar against the other windows only: what differs between windows no method can heal."""
        name, (_, windows) = next(iter(self.windows.items()))
        medians = {key: (np.nanmedian(m[0]), np.nanmedian(m)) for key, m in windows.between.items()}
        rows = [{"statistic": key, "R": own / every} for key, (own, every) in medians.items() if every > 0]
        return [pd.DataFrame(rows).assign(source=FLOOR, window=name)]

    def _pasted(self) -> list[pd.DataFrame]:
        block = min(2 * max(self.test.sides), self.size // 2)  # the size of blocks that `compare` pastes
        pasted = pasted_blocks(self.exemplar, self.exemplar.shape, block)
        return [self.test(pasted).assign(source="pasted blocks")]

    def _kept(
        self, key: str, results: list[Any], found: Callable[[], tuple[list[Any], list[Any]]]
    ) -> tuple[list[Row], list[Row]]:
        path = self.folder / f"{self.material}_{key}_{self.size}_judged.json"
        labels = b"".join(m.labels.tobytes() for m in (self.image, *results))
        of = hashlib.sha256(statistics_code() + labels).hexdigest()
        if path.is_file() and (kept := json.loads(path.read_text("utf-8")))["of"] == of:
            return kept["ratios"], kept["copying"]
        ratios, copying = (plain(pd.concat(tables).assign(material=self.material)) for tables in found())
        path.write_text(json.dumps({"of": of, "ratios": ratios, "copying": copying}, indent=1), encoding="utf-8")
        return ratios, copying


def plain(table: pd.DataFrame) -> list[Row]:
    """Rows of JSON's own types, without what is not known: JSON has no NaN."""
    rows = ({str(name): value for name, value in row.items() if value == value} for row in table.to_dict("records"))
    return [{k: v.item() if isinstance(v, np.generic) else v for k, v in row.items()} for row in rows]


def statistics_code() -> bytes:
    """Tells whether judgements stem from one state of the code that judges."""
    files = sorted((Path(matlens.__file__).parent / "microstructure" / "statistics").rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).digest()
