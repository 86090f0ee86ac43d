# Each target does all its own set-up: it needs Python >= 3.11 with venv, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal --timeout 600

.PHONY: validate test notebooks docs clean

validate: $(VENV)/installed  ## train the networks, confront them with theory, leave report/index.html
	$(PYTEST) validate paper_checks

test: $(VENV)/installed  ## everything: lint, types, tests, paper checks, validation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST)

notebooks: $(VENV)/installed  ## open the notebooks in Jupyter; a double click on their .py opens them as such
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[notebooks]'
	$(BIN)/jupytext-config --settings-file $(VENV)/etc/jupyter/labconfig/default_setting_overrides.json \
	    set-default-viewer python
	$(BIN)/jupyter lab notebooks

docs: $(VENV)/installed  ## the reference pages, from docstrings, laws and notebooks, in docs/_build/html/index.html
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	$(BIN)/sphinx-build -W --keep-going -c docs -b html . docs/_build/html

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed, $(PYTHON) is " + sys.version)'
	@echo "installing into $(VENV): some minutes, most of them for PyTorch"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) report docs/_build docs/reference
