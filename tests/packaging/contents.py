"""What wheel and sdist hold beside what they must hold: ``python tests/packaging/contents.py dist``."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def package_files() -> set[str]:
    """Files of src in the repository, among them stubs, the page of the studio, templates and weights."""
    listed = subprocess.run(["git", "ls-files", "src"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name.removeprefix("src/") for name in listed.splitlines() if (ROOT / name).exists()}


def in_wheel(wheel: Path) -> set[str]:
    """Files of the package in a wheel."""
    return {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("matlens/")}


def in_sdist(sdist: Path) -> set[str]:
    """Files of the package in an sdist."""
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/src/")[2] for member in archive if member.isfile()}
    return {name for name in names if name.startswith("matlens/")}


def differences(folder: Path) -> list[str]:
    """A sentence about each file that is missing or should not be there; folder holds one wheel and one sdist."""
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    wanted, said = package_files(), []
    for archive, found in ((wheel, in_wheel(wheel)), (sdist, in_sdist(sdist))):
        said += [f"{archive.name} lacks {name}." for name in sorted(wanted - found)]
        said += [f"{archive.name} holds {name}, which is not in the repository." for name in sorted(found - wanted)]
    return said


if __name__ == "__main__":
    wrong = differences(Path(sys.argv[1]))
    print("\n".join(wrong) or f"{len(package_files())} files of the package are in the wheel and in the sdist.")  # noqa: T201
    sys.exit(bool(wrong))
