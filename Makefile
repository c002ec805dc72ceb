# make demo: set up, then reconstruct real input.   make test: set up, then run the tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export MATLENS_DATA ?= $(realpath $(wildcard ../shared/data))
# The stamp's name holds the hash of what it depends on, so a changed dependency sets up again.
STAMP := $(VENV)/.stamp-$(shell cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)

.PHONY: demo test check setup clean
demo: setup
	$(BIN)/matlens demo

test: setup
	$(BIN)/pytest

check: setup
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	rm -f $(VENV)/.stamp-* && touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
