"""Examples of the README and of the pages run, and the commands, options, presets and files that they name exist."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from matlens.cli.app import application
from matlens.cli.registry import commands
from matlens.core.registry import entries
from matlens.core.settings import declared
from matlens.core.units import parse_spacing
from matlens.examples.listed import EXAMPLES
from matlens.microstructure.encoders import ENCODER_NAMES
from matlens.microstructure.reconstruction import PRESETS
from matlens.microstructure.segmentation import parse_crop, parse_flatten, parse_threshold

pytestmark = pytest.mark.end_to_end

ROOT = Path(__file__).parents[1]
_OPTIONS = ("micrographs", "reconstruct", "properties", "libraries")
_OTHERS = (
    "start",
    "index",
    "python",
    "choosing",
    "encoders",
    "closing_the_loop",
    "fiji",
    "finite_elements",
    "cluster",
    "reports",
)
PAGES = {
    name: (ROOT / f"docs/{name}.md").read_text(encoding="utf-8") for name in (*_OPTIONS, *_OTHERS, "large_volumes")
}
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEXT = "\n".join([README, *PAGES.values()])
_TOP: dict[str, Any] = typer.main.get_command(application()).commands  # type: ignore[attr-defined]
GROUPS = ("library", "batch")
COMMANDS: dict[str, Any] = {
    f"{group} {name}".strip(): command
    for group, found in (("", _TOP), *((group, _TOP[group].commands) for group in GROUPS))
    for name, command in found.items()
}
PARSERS = {"crop": parse_crop, "flatten": parse_flatten, "spacing": parse_spacing, "threshold": parse_threshold}


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)```", text, flags=re.DOTALL | re.MULTILINE)


def command_lines() -> list[list[str]]:
    """Every ``matlens ...`` of the shell blocks and of the running text, in words, each once."""
    shell = "\n".join(blocks("sh", TEXT)).replace("\\\n", " ").replace(" && ", "\n").splitlines()
    spans = re.findall(r"`(matlens [^`|]+)`", TEXT)
    lines = dict.fromkeys(" ".join(line.split()) for line in (*shell, *spans))
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("matlens ")]


def options_of(command: str) -> dict[str, Any]:
    return {name: parameter for parameter in COMMANDS[command].params for name in parameter.opts}


def test_example_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = blocks("python", README)
    assert len(code.splitlines()) == 6
    monkeypatch.chdir(tmp_path)
    small = {  # the same example on a tenth of the pixels, whatever weights are at hand
        "gravel()": "gravel()[:96, :96]",
        "shape=(128, 128)": "shape=(32, 32), preset='fast', encoder='filterbank'",
    }
    for text, replacement in small.items():
        assert code.count(text) == 1
        code = code.replace(text, replacement)
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["result"].microstructure.shape == (32, 32)
    assert "9 windows of 32x32 pixels" in capsys.readouterr().out
    assert (tmp_path / "verdict.png").stat().st_size > 1000


def test_learning_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("python", PAGES["properties"])
    small = {
        "contrasts=(50,)": "contrasts=(50,), stiffness_contrasts=(), shape=(32, 32)",
        "120)": "16)",
        "phase_values": "encoder='filterbank', depth='scale1', head='ridge', phase_values",
        "slice(0, 100)": "slice(0, 12)",
        "slice(100, 120)": "slice(12, 16)",
    }
    for text, replacement in small.items():
        assert text in code
        code = code.replace(text, replacement, 1)
    exec(compile(code, "properties.md", "exec"), {})
    assert "in_domain" in capsys.readouterr().out


def test_library_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("python", PAGES["libraries"])
    for text, replacement in {"150": "40", "n_models=10": "n_models=3", "n=5": "n=2"}.items():
        assert code.count(text) == 1
        code = code.replace(text, replacement)
    exec(compile(code, "libraries.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "component" in printed
    assert "at%" in printed


@pytest.mark.parametrize("page", ["python", "fiji", "finite_elements"])
def test_short_examples_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python", PAGES[page])
    exec(compile(code, f"{page}.md", "exec"), {})
    assert (
        sorted(path.suffix for path in tmp_path.iterdir())
        == {
            "python": [".nc", ".vti"],
            "fiji": [".tif"],
            "finite_elements": [".npy", ".stl", ".tif", ".vti"],
        }[page]
    )


@pytest.mark.parametrize("words", command_lines(), ids=" ".join)
def test_commands_and_their_options_exist(words: list[str]) -> None:
    length = 2 if words[0] in GROUPS else 1
    known = options_of(" ".join(words[:length]))
    for word, value in zip(words[length:], [*words[length + 1 :], ""]):
        if not word.startswith("-"):
            continue
        assert word in known
        if (parse := PARSERS.get(known[word].name)) is not None:
            parse(value)


def test_options_in_tables_exist() -> None:
    known = options_of("reconstruct")
    named = re.findall(r"`(--?[a-z-]+)(?: ([^`]*))?`", "\n".join([README, *map(PAGES.get, _OPTIONS)]))
    assert len(named) > 20
    for option, value in named:
        assert option in known or any(option in options_of(command) for command in COMMANDS)
        if option in ("--crop", "--flatten", "--threshold", "--spacing") and value and value == value.lower():
            PARSERS[option.strip("-")](value.replace("x0:x1,y0:y1", "0:9,0:9"))


def test_defaults_in_tables_hold() -> None:
    spec = next(command.spec for command in commands() if command.name == "reconstruct")
    defaults = {flag: made.default for made in declared(spec) for flag in made.flags}
    for option, value in {
        "--encoder": "auto",
        "--preset": "default",
        "--fraction": "exact",
        "--device": "auto",
    }.items():
        assert f"`{option} {value}`" in TEXT
        assert defaults[option] == value


def test_names_exist() -> None:
    assert all(f"`{preset}`" in TEXT or f"--preset {preset}" in TEXT for preset in PRESETS)
    assert all(f"`{encoder}`" in TEXT for encoder in ENCODER_NAMES)
    assert set(re.findall(r"matlens fetch ([a-z0-9-]+)", TEXT)) <= {*entries(), *EXAMPLES, "examples"}


def test_numbers_stand_in_the_results() -> None:
    table = README[README.index("## What it does that others do not") : README.index("## Read on")]
    results = (ROOT / "docs/results.md").read_text(encoding="utf-8")
    numbers = re.findall(r"(?<![\d.])\d*\.\d+", table)
    assert len(numbers) > 30
    assert not [one for one in numbers if not re.search(rf"(?<![\d.])0?{re.escape(one)}(?!\d)", results)]


def test_files_exist() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith(("http", "#"))]
    missing = [link for link in links if not (ROOT / link.partition("#")[0]).exists()]
    assert all(link.startswith("docs/images/") for link in missing), missing
    if missing:
        pytest.skip(f"benchmarks/reconstruction.py --figure has not made {', '.join(missing)}")
