"""Wheel and sdist hold every file of the package that the repository has, and no other."""

import re
import shutil
import subprocess
import sys

import pytest
from contents import ROOT, differences, in_sdist, package_files


@pytest.mark.slow
def test_wheel_and_sdist_hold_the_package(tmp_path):
    try:
        wanted = package_files()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a clone of the repository")
    assert {"matlens/py.typed", "matlens/studio/page/index.html", "matlens/report/report.html.jinja"} <= wanted
    assert "matlens/microstructure/encoders/matlens.safetensors" in wanted
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "NOTICE", "CHANGELOG.md", "CITATION.cff"):
        shutil.copy(ROOT / name, source)
    shutil.copy(ROOT / "constraints.txt", source)
    for name in wanted:
        (source / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "src" / name, source / "src" / name)
    # By setuptools of this environment, so that no network is needed.
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(source)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert differences(tmp_path / "dist") == []
    (sdist,) = (tmp_path / "dist").glob("*.tar.gz")
    assert not [name for name in in_sdist(sdist) if re.match("tests|docs|benchmarks", name)]


def test_missing_and_foreign_files_are_told(tmp_path, monkeypatch):
    import tarfile
    import zipfile

    import contents

    monkeypatch.setattr(contents, "package_files", lambda: {"matlens/a.py", "matlens/page.js"})
    with zipfile.ZipFile(tmp_path / "m.whl", "w") as wheel:
        wheel.writestr("matlens/a.py", "")
    for name in ("a.py", "page.js", "old.py"):
        (tmp_path / name).touch()
    with tarfile.open(tmp_path / "m.tar.gz", "w:gz") as sdist:
        for name in ("a.py", "page.js", "old.py"):
            sdist.add(tmp_path / name, f"m-1/src/matlens/{name}")
    assert differences(tmp_path) == [
        "m.whl lacks matlens/page.js.",
        "m.tar.gz holds matlens/old.py, which is not in the repository.",
    ]
