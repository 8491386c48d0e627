# The two commands that matter: `make demo` shows a talking head, `make test` runs the tests.
.PHONY: help demo test check golden clean

VENV ?= .venv
BIN := $(VENV)/bin
# The first interpreter that runs and is new enough; choose another with `make PYTHON=...`.
PYTHON ?= $(shell for python in python3 python3.12 python3.11 python3.13; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed-demo  ## Animate examples/speech.flac into out/ (mp4, glb, csv), offline
	$(BIN)/kinevox animate examples/speech.flac -o out/demo.glb -o out/demo.csv -o out/demo.mp4

test: $(VENV)/.installed-dev  ## Run the tests
	$(BIN)/python -m pytest -n 2

check: $(VENV)/.installed-dev  ## Formatting, lint, types, tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/python -m pytest -n 2

golden: $(VENV)/.installed-dev  ## Regenerate the stored outputs of golden tests; review the diff
	KINEVOX_GOLDEN=write $(BIN)/python -m pytest -q -m golden

clean:  ## Remove the environment and all outputs
	rm -rf $(VENV) out

# The environment is built again only when the metadata or the pinned versions change.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or newer found. Install one, or name it: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-demo: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing kinevox into $(VENV); the first time takes a minute or two."
	@$(PIP_INSTALL) -e '.[render]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing kinevox and its development tools into $(VENV)."
	@$(PIP_INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.installed-demo
