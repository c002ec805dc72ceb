"""What pyproject.toml declares, and the files that say the same: citation, changelog, conda, container, workflows."""

import datetime
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jinja2
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from matlens import __version__
from matlens.cli.app import main

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = {name: made for name, made in PROJECT["optional-dependencies"].items() if name not in ("test", "docs", "dev")}
CORE = [Requirement(one) for one in PROJECT["dependencies"]]
ADDED = [Requirement(one) for made in EXTRAS.values() for one in made]
IN_CONDA = {"torch": "pytorch", "matplotlib": "matplotlib-base"}  # what conda-forge calls them


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def parsed(name):
    return yaml.safe_load(text(name))


def workflow(name):
    found = parsed(f".github/workflows/{name}.yml")
    return {**found, "on": found.pop(True)}  # YAML 1.1 reads the word on as true


def recipe():
    return yaml.safe_load(jinja2.Template(text("packaging/conda/meta.yaml")).render(PYTHON="python"))


def test_one_version(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert not end.value.code
    assert capsys.readouterr().out.split()[-1] == __version__
    citation = parsed("CITATION.cff")
    heading = re.search(r"^## \[(.+?)\] - (\S+)$", text("CHANGELOG.md"), flags=re.MULTILINE)
    assert heading.groups() == (__version__, citation["date-released"])
    assert datetime.date.fromisoformat(citation["date-released"])
    assert citation["version"] == recipe()["package"]["version"] == __version__
    assert recipe()["source"]["git_rev"] == f"v{__version__}"
    assert re.search(rf"^\| {__version__.rpartition('.')[0]} \| yes \|$", text("SECURITY.md"), flags=re.MULTILINE)


def test_the_citation_is_complete():
    citation = parsed("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"
    assert citation["keywords"] == PROJECT["keywords"]
    assert citation["license"] in PROJECT["license"]
    assert citation["repository-code"] == PROJECT["urls"]["Homepage"]
    assert {"message", "title", "abstract", "authors", "url", "references"} <= set(citation)
    for reference in citation["references"]:
        assert {"type", "title", "authors", "year"} <= set(reference)


def test_extras_have_the_same_names_everywhere():
    assert set(EXTRAS) == {"baselines", "spectra", "cluster", "volumes", "studio"}
    assert all(EXTRAS.values())
    asked = set(Requirement(PROJECT["optional-dependencies"]["test"][0]).extras)
    (by_pip,) = [one["pip"] for one in parsed("environment.yml")["dependencies"] if isinstance(one, dict)]
    for others in (by_pip[0], text("Dockerfile")):
        assert set(re.search(r"\.\[([a-z,]+)\]", others)[1].split(",")) == set(EXTRAS) == asked
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", text("docs/install.md"), flags=re.MULTILINE))
    assert {name: [Requirement(one).name for one in made] for name, made in EXTRAS.items()} == {
        name: brought.split(", ") for name, brought in rows.items()
    }


def test_conda_has_the_same_dependencies():
    def conda(requirements):
        return {f"{IN_CONDA.get(one.name, one.name)} {one.specifier}" for one in requirements}

    needed = recipe()["requirements"]
    assert set(needed["run"]) == conda(CORE) | {f"python {PROJECT['requires-python']}"}
    assert set(needed["run_constrained"]) == conda(ADDED)
    (torch,) = [one for one in CORE if one.name == "torch"]
    environment = parsed("environment.yml")
    assert f"pytorch{torch.specifier}" in environment["dependencies"]
    assert f"python{PROJECT['requires-python']},<3.14" in environment["dependencies"]
    assert recipe()["build"]["entry_points"] == [f"matlens = {PROJECT['scripts']['matlens']}"]
    assert recipe()["about"]["license"] == PROJECT["license"]


def test_tested_versions_are_allowed_and_lowest_ones_are_made_of_these():
    pins = dict(line.split("==") for line in text("constraints.txt").splitlines())
    pinned = {name.lower().replace("_", "-"): Version(version) for name, version in pins.items()}
    for one in CORE + ADDED:
        assert pinned[one.name.lower().replace("_", "-")] in one.specifier, one
    made = subprocess.run([sys.executable, ROOT / ".ci" / "lowest"], capture_output=True, text=True, check=True).stdout
    assert [Requirement(line).name for line in made.splitlines()] == [one.name for one in CORE + ADDED]
    for one, line in zip(CORE + ADDED, made.splitlines()):
        (pin,), (bound,) = Requirement(line).specifier, one.specifier
        assert (pin.operator, bound.operator, pin.version) == ("==", ">=", bound.version)


def test_workflows_test_what_the_classifiers_name():
    tests = workflow("test")
    matrix = tests["jobs"]["versions"]["strategy"]["matrix"]
    prefix = "Programming Language :: Python :: "
    named = [one.removeprefix(prefix) for one in PROJECT["classifiers"] if one.startswith(f"{prefix}3.")]
    assert matrix["python"] == named
    assert f">={named[0]}" == PROJECT["requires-python"]
    systems = {"MacOS": "macos", "Microsoft": "windows", "POSIX": "ubuntu"}
    kinds = [one.split(" :: ")[1] for one in PROJECT["classifiers"] if one.startswith("Operating System")]
    assert {f"{systems[kind]}-latest" for kind in kinds} == set(matrix["os"])
    assert any(".ci/lowest" in step.get("run", "") for step in tests["jobs"]["lowest"]["steps"])
    assert any(".ci/wheel" in step.get("run", "") for step in tests["jobs"]["wheel"]["steps"])


def test_a_release_waits_for_all_tests_and_holds_no_password():
    release = workflow("release")
    jobs = release["jobs"]
    assert jobs["test"]["uses"] == "./.github/workflows/test.yml"
    assert "workflow_call" in workflow("test")["on"]
    assert set(jobs["publish"]["needs"]) == {"test", "build"}
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert release["permissions"] == {"contents": "read"}
    assert "secrets." not in text(".github/workflows/release.yml")


def test_the_container_takes_what_it_needs_and_a_build_of_pytorch():
    ignored = text(".dockerignore").splitlines()
    assert ignored[0] == "*"
    taken = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert {"src", "pyproject.toml", "constraints.txt", PROJECT["readme"], *PROJECT["license-files"]} == taken
    assert all((ROOT / name).exists() for name in taken)
    lines = text("Dockerfile").splitlines()
    assert lines.index("ARG TORCH=cpu") > next(n for n, line in enumerate(lines) if line.startswith("FROM python:3.11"))
    assert "https://download.pytorch.org/whl/${TORCH}" in text("Dockerfile")


def test_what_was_not_tried_is_said():
    page = " ".join(text("docs/install.md").split())
    for name in ("macOS", "Windows", "Python 3.12 and 3.13", "lowest versions"):
        assert name in page[page.index("Untested are") :]


def minute(page, folder):
    command = [sys.executable, ROOT / ".ci" / "minute", page]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_minute_of_a_page_is_run_as_it_stands(tmp_path):
    page = tmp_path / "page.md"
    blocks = "```sh\necho one > a\ncat a \\\n    a\n```\n\n```python\nprint(open('a').read() * 3)\n```\n\n"
    page.write_text(f"# Page\n```sh\nexit 3\n```\n## One minute of it\n{blocks}## Then\n```sh\nexit 4\n```\n")
    done = minute(page, tmp_path)
    assert done.returncode == 0
    assert done.stdout.count("one") == 1 + 2 + 3
    assert done.stdout.count(" s\n") == 3
    page.write_text("## One minute\n```sh\nfalse\necho never\n```\n")
    assert minute(page, tmp_path).stderr == "it failed with exit code 1.\n"
    page.write_text("## One minute\nNothing.\n## Then\n```sh\necho\n```\n")
    assert "has no block of shell or of Python" in minute(page, tmp_path).stderr
    assert "docs/install.md" in text(".ci/wheel")
