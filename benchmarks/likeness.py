"""How alike reconstructions are to their material with each encoder, and what they cost, paired with VGG-19.

    python benchmarks/likeness.py --sources     # fresh micrographs: addresses, licences, names to save them under
    python benchmarks/likeness.py --list        # what is done and missing, about how long
    python benchmarks/likeness.py --markdown likeness.md --figure docs/images/likeness.png
    python benchmarks/likeness.py --only alloy iron --seeds 101 --encoders vgg19-oxford filterbank

Ten real and five synthetic materials of `reconstruction_materials`, and the fresh ones of `fresh_micrographs`, to
whose files MATLENS_DATA must lead; what is not at hand is left out with a sentence. Exemplars are 128 x 128 pixels, the
preset is `default`, and seeds 101 to 105 were used for no choice. Every realisation is made on one thread, two at a
time, and leaves one JSON and one NPY file, so that the study may be stopped and started again; remove the folder after
a change of the code. Encoders take turns, so that whatever else the machine does meets all alike. `pruned-by-others` is
a yardstick that the package does not have: `pruned_by_others`.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconstruction import Job, Row, attempt, forget_failures, in_words, listing, part_of_study, structures
from reconstruction_materials import EVERY, at_hand, corner, image_of
from reconstruction_methods import YARDSTICK, file_part

ENCODERS = ("vgg19-oxford", "matlens", "filterbank", YARDSTICK)
SEEDS = (101, 102, 103, 104, 105)
SIZE = 128
PROCESSES = 2


def available(encoders: list[str]) -> list[str]:
    """The encoders that can be built here; says which are left out, and why."""
    from material_kinds import AbsentError
    from matlens.microstructure.encoders import ENCODERS as KNOWN

    found = []
    for name in encoders:
        try:
            if name == YARDSTICK:
                from pruned_by_others import weights_file

                weights_file()
            elif name not in KNOWN:
                raise AbsentError("this version of MatLens has no such encoder")
            elif not KNOWN[name].at_hand():
                raise AbsentError(f"its weights are not at hand: run 'matlens fetch {name}', or name their folder in "
                                  "MATLENS_DATA")  # fmt: skip
            found.append(name)
        except AbsentError as absent:
            print(f"{name} is left out: {absent}.", file=sys.stderr)
    return found


def run(jobs: list[Job], folder: Path) -> None:
    """Make what is missing; seed by seed and material by material, all encoders after each other."""
    for material in dict.fromkeys(job.material for job in jobs if job.missing(folder)):
        image_of(material, folder)  # once, not by two processes at a time
    seeds = dict.fromkeys(seed for job in jobs for seed in job.seeds)
    single = [replace(job, seeds=(seed,)) for seed in seeds for job in jobs]
    missing = [(job, folder) for job in single if job.missing(folder)]
    if not missing:
        return
    os.environ["OMP_NUM_THREADS"] = "1"  # read when a process loads its libraries
    with multiprocessing.get_context("spawn").Pool(PROCESSES, prepared) as pool:
        for done, line in enumerate(pool.imap_unordered(one, missing), 1):
            print(f"{done} of {len(missing)}: {line}", flush=True)


def prepared() -> None:
    """Load what reconstruction loads only when it is used, which is no part of an encoder's time."""
    from matlens import reconstruct
    from matlens.microstructure.problems import bicontinuous

    reconstruct(bicontinuous((32, 32), seed=0), encoder="filterbank", preset="fast", device="cpu")


def one(task: tuple[Job, Path]) -> str:
    job, folder = task
    record = attempt(job, corner(image_of(job.material, folder), SIZE), job.seeds[0], folder)
    return f"{job.material}, {job.method}, seed {job.seeds[0]}: {in_words(record)}"


def summarise(jobs: list[Job], folder: Path) -> Row:
    """Everything that is shown, as rows of plain numbers; judgements are kept in the folder."""
    from likeness_morphology import measured
    from likeness_summary import one_realisation
    from reconstruction_judging import Judge

    records = [record for job in jobs for record in job.records(folder)]
    made, not_made = [r for r in records if "errors" in r], [r for r in records if "errors" not in r]
    found: Row = {"rows": [], "ratios": [], "copying": [], "shapes": []}
    for material in dict.fromkeys(record["material"] for record in made):
        judge = Judge(material, SIZE, folder)
        sources = [("exemplar", judge.exemplar)]
        for job in (job for job in jobs if job.material == material):
            own, results = [r for r in job.records(folder) if "errors" in r], structures(job, folder, judge.exemplar)
            if not results:
                continue
            key = file_part(job.method)
            for record, result in zip(own, results, strict=True):
                alone = judge.judge(job.method, f"{key}_seed{record['seed']}", [result])
                found["rows"].append(one_realisation(record, *alone))
                sources.append((job.method, result))
            ratios, copying = judge.judge(job.method, key, results)
            found["ratios"] += ratios
            found["copying"] += copying
        found["shapes"] += [{"material": material, "source": source, "measure": name, "value": value}
                            for source, m in sources for name, value in measured(m, material).items()]  # fmt: skip
    return {"study": part_of_study(jobs, made, not_made), "not_made": not_made, **found}


def pictures(jobs: list[Job], folder: Path) -> list[dict[str, dict[str, Any]]]:
    """Exemplars and the first realisation of each encoder, not selected: real, synthetic and fresh materials."""
    from likeness_summary import group_of

    groups: dict[str, dict[str, dict[str, Any]]] = {}
    for job in jobs:
        rows = groups.setdefault(group_of(job.material), {"exemplar": {}})
        exemplar = corner(image_of(job.material, folder), SIZE)
        rows["exemplar"][job.material] = exemplar
        for result in structures(job, folder, exemplar)[:1]:
            rows.setdefault(job.method, {})[job.material] = result
    return list(groups.values())


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(EVERY), default=list(EVERY), metavar="MATERIAL")
    parser.add_argument("--encoders", nargs="+", default=list(ENCODERS), metavar="ENCODER")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--output", type=Path, default=Path("build/likeness"))
    parser.add_argument("--sources", action="store_true", help="only list the fresh micrographs")
    parser.add_argument("--list", action="store_true", help="only say what is done and missing, and how long it takes")
    parser.add_argument("--summary", action="store_true", help="only sum up what is there")
    parser.add_argument("--retry", action="store_true", help="try again what failed")
    parser.add_argument("--markdown", type=Path, help="write the tables here too")
    parser.add_argument("--figure", type=Path, help="write the picture here (PNG)")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    if args.sources:
        from likeness_summary import sources

        print(sources())
        return
    args.output.mkdir(parents=True, exist_ok=True)
    seeds = tuple(args.seeds)
    encoders = available(args.encoders)
    jobs = [Job(material, name, SIZE, seeds, threads=1) for material in at_hand(args.only) for name in encoders]
    if args.list or not jobs:
        print(listing(jobs, args.output, "", PROCESSES))
        return
    if args.retry:
        forget_failures(jobs, args.output)
    if not args.summary:
        run(jobs, args.output)
    summary = summarise(jobs, args.output)
    (args.output / "summary.json").write_text(json.dumps(summary, indent=1), encoding="utf-8")
    from likeness_summary import markdown
    from reconstruction_tables import figure

    text = markdown(summary)
    print(text)
    if args.markdown:
        args.markdown.write_text(text, encoding="utf-8")
    if args.figure:
        figure(pictures(jobs, args.output), args.figure)


if __name__ == "__main__":
    main()
