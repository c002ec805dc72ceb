# make demo: set up, then reconstruct a real material.   make test: set up, then run all tests.   make quick: those of a minute.
# make check: lint, types, import rules.   make coverage: quick, with what it covers.   make nightly: properties, at length.
# make wheel: wheel and sdist, in dist.
# make docs: the site, in build/site; it fails where a warning is given or a cell of a tutorial fails.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export MATLENS_DATA ?= $(realpath $(wildcard ../shared/data))
# The stamp's name holds the hash of what it depends on, so a changed dependency sets up again.
STAMP := $(VENV)/.stamp-$(shell cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)
DOCS_STAMP := $(subst .stamp-,.stamp-docs-,$(STAMP))

# Two processes, each on one thread: the tests are many and small, and threads of two processes wait on each other.
# A file's tests stay together, since they share what is made for the file.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile --durations=20
QUICK := tests -m "not slow and not end_to_end and not nightly"

.PHONY: demo test quick browser screenshots coverage nightly check lint types imports circles docs wheel setup clean
demo: setup
	$(BIN)/matlens demo

test: setup
	$(PYTEST) -m "not nightly"

quick: setup
	$(PYTEST) $(QUICK)

# In a real browser.
browser: setup
	$(BIN)/pytest tests/studio/browser_walk.py tests/studio/browser_views.py -m "not nightly"

# The pictures of the studio for the docs.
screenshots: setup
	MATLENS_SHOTS=docs/images $(BIN)/pytest tests/studio/browser_walk.py -m "not nightly"

# Of the quick tests alone: tracing costs a third more (see CONTRIBUTING.md).
coverage: setup
	$(PYTEST) $(QUICK) --cov=matlens --cov-report=term:skip-covered

nightly: coverage
	$(PYTEST) -m nightly
	$(BIN)/pytest -m nightly tests/studio/browser_walk.py
	$(PYTEST) -m hypothesis --hypothesis-profile=nightly
	$(BIN)/python benchmarks/pools.py kills --kills 50 --pools processes,dask
	$(BIN)/python benchmarks/pools.py kills --kills 10 --pools slurm-array
	$(BIN)/python benchmarks/pools.py study

check: lint types imports circles

lint: setup
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/python tests/house/text_files.py

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

circles: setup
	$(BIN)/python tests/house/circles.py

docs: $(DOCS_STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -b html -W --keep-going -q -j 2 -d build/doctrees docs build/site
	@echo "build/site/index.html"

wheel: setup
	rm -rf dist
	$(BIN)/python -m build --outdir dist .

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	rm -f $(VENV)/.stamp-* && touch $@

$(DOCS_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[docs]"
	touch $@

clean:
	rm -rf $(VENV) build dist docs/api docs/learn docs/made .pytest_cache .mypy_cache .ruff_cache .hypothesis
