"""A new encoder is one file and one line: reconstruction, storage and models take it without knowing it."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from matlens.microstructure.encoders import ENCODERS, EncoderEntry, load_encoder, resolve_encoder
from matlens.microstructure.problems import bicontinuous, gaussian_field
from matlens.microstructure.properties import StructurePropertyModel
from matlens.microstructure.reconstruction import reconstruct

RECIPE = Path(__file__).parents[3] / "docs" / "extending.md"
PLUGIN = re.search(r"## An encoder\n.*?```python\n(.*?)```", RECIPE.read_text(encoding="utf-8"), re.DOTALL)[1]


@pytest.fixture
def edges(tmp_path, monkeypatch):
    """The one file, and the one line."""
    (tmp_path / "edges_encoder.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(ENCODERS, "edges", EncoderEntry("edges", "edges_encoder:Edges"))
    yield "edges"
    sys.modules.pop("edges_encoder", None)


def test_it_reconstructs(edges):
    exemplar = bicontinuous((32, 32), wavelength=8, seed=1)
    result = reconstruct(exemplar, encoder=edges, preset="fast")
    assert result.microstructure.shape == (32, 32)
    assert result.settings["encoder"] == edges
    assert result.settings["layers"] == {"edges": 1.0}
    level = result.history[result.history.level == "full size"]
    assert level["Gram edges"].iloc[-1] < level["Gram edges"].iloc[0]


def test_a_model_on_it_is_stored_and_read_back(edges, tmp_path):
    labels = np.stack([gaussian_field((32, 32), 2.0 + 0.2 * i, fraction=0.4, seed=i).labels for i in range(12)])
    values = np.arange(12.0)
    model = StructurePropertyModel(edges, head="ridge", coverage=None).fit(labels, values)
    again = StructurePropertyModel.load(model.save(tmp_path / "model"))
    assert again.chosen_["encoder"] == edges
    np.testing.assert_allclose(again.predict(labels), model.predict(labels))


def test_names_do_not_hide_it(edges):
    assert resolve_encoder(edges) == load_encoder(edges).name == edges


def test_auto_is_the_first_that_can_be_built(edges, monkeypatch):
    kept = dict(ENCODERS)
    absent = EncoderEntry("absent", "nowhere:Nothing", weights="vgg19-torchvision")
    order = {"absent": absent, edges: ENCODERS[edges], "filterbank": ENCODERS["filterbank"]}
    monkeypatch.setattr("matlens.core.registry.locate", lambda name: None)
    try:
        ENCODERS.clear()
        ENCODERS.update(order)
        assert resolve_encoder() == edges
    finally:  # in their order, which is that of preference: monkeypatch would put them back in another
        ENCODERS.clear()
        ENCODERS.update(kept)


def test_names_of_encoders_and_methods_load_nothing_heavy():
    code = (
        "import sys\n"
        "from matlens.microstructure.encoders import ENCODER_NAMES\n"
        "from matlens.microstructure.reconstruction import METHOD_NAMES\n"
        "assert ENCODER_NAMES and METHOD_NAMES\n"
        "sys.exit(', '.join({'torch', 'scipy', 'numpy', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""  # where sys.exit says what was loaded
