# Thin: each target is one command of hoplab, or of a tool in the virtual environment.
# ENGINE=docker or ENGINE=process chooses; otherwise Docker is used if a daemon answers.

PYTHON ?= python3
VENV   ?= .venv
ENGINE ?= auto
# A folder with a space is quoted for the shell, and escaped for make.
BIN    := "$(VENV)/bin"
SPACE  := $(subst ,, )
READY  := $(subst $(SPACE),\ ,$(VENV))/.ready
FAULTS  ?= *
MODULES ?= results results_file
MUTMUT  := $(VENV)/mutmut

.DEFAULT_GOAL := help
.PHONY: help setup up-strip up-preserve up down ps logs verify matrix cors report demo screenshots certificates test test-fixes test-applications lint format bench-startup bench-matrix bench-check bench-live prove-check sabotage sabotage-code docs lock bench-doctor

help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up-strip: $(READY) ## Start the four topologies that strip the prefix, and verify them
	@$(BIN)/hoplab up strip --engine $(ENGINE)

up-preserve: $(READY) ## Start the four topologies that preserve it, and verify them
	@$(BIN)/hoplab up preserve --engine $(ENGINE)

up: $(READY) ## Start all eight, and verify them
	@$(BIN)/hoplab up --engine $(ENGINE)

down: $(READY) ## Stop what is up
	@$(BIN)/hoplab down

ps: $(READY) ## List what is up, and where it answers
	@$(BIN)/hoplab ps

logs: $(READY) ## Show what proxies and applications have written
	@$(BIN)/hoplab logs

matrix: $(READY) ## Ask every combination, right and wrong, and compare with what must show
	@$(BIN)/hoplab matrix

verify: $(READY) ## Ask all eight the whole contract, on free ports
	@$(BIN)/hoplab verify --engine $(ENGINE)

cors: $(READY) ## Ask which origins may read what, for each CORS variant
	@$(BIN)/hoplab cors

report: $(READY) ## Ask every combination and CORS, and write all of it as report.html
	@mkdir -p .hoplab && rm -f .hoplab/matrix.json .hoplab/cors.json
	-@$(BIN)/hoplab matrix --format json -o .hoplab/matrix.json
	-@$(BIN)/hoplab cors --format json -o .hoplab/cors.json
	@$(BIN)/hoplab report .hoplab/matrix.json .hoplab/cors.json -o report.html

demo: $(READY) ## Start the eight topologies, and a live page of them, until Ctrl-C
	@$(BIN)/hoplab demo$(if $(filter-out auto,$(ENGINE)), --engine $(ENGINE))

screenshots: report ## Make the pictures of docs/images/ (needs Chromium)
	@$(BIN)/python scripts/screenshots.py report.html

certificates: $(READY) ## Make the proxies' certificate (for `docker compose` by hand)
	@$(BIN)/hoplab certificates

test: $(READY) ## Run the tests
	@$(BIN)/pytest -n auto

test-fixes: $(READY) ## Try each fix that a text prescribes (minutes)
	@$(BIN)/pytest tests/fixes

test-applications: $(READY) ## Check applications from the package index (minutes, and needs it)
	@$(BIN)/pytest tests/applications

lint: $(READY) ## Check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: $(READY) ## Put the code into its form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench-startup: $(READY) ## Compare the lab's start with bare scripts that start the same
	@$(BIN)/python -m scripts.bench_startup

bench-matrix: $(READY) ## Measure what the whole matrix costs, and how that grows
	@$(BIN)/python scripts/bench_matrix.py

bench-live: $(READY) ## Measure the live lab: from a save to new verdicts, from a click to a trace
	@$(BIN)/python scripts/bench_live.py $(filter-out auto,$(ENGINE))

bench-check: $(READY) ## Measure hoplab check of a small application, beside the same processes bare
	@$(BIN)/python -m scripts.bench_check

prove-check: $(READY) ## Ask the whole matrix what `hoplab check` asks, print what is not found
	@$(BIN)/python -m scripts.prove_check

bench-doctor: $(READY) ## Run the doctor at every cell, and compare its diagnoses with the causes
	@$(BIN)/python -m scripts.bench_doctor --foreign --write

sabotage: $(READY) ## Break the deployments (FAULTS='nginx/* caddy/mirror'), print what is not noticed; goes on after Ctrl-C
	@mkdir -p .hoplab
	@$(BIN)/python -m scripts.sabotage --faults '$(FAULTS)' --resume .hoplab/sabotage.jsonl $(if $(filter *,$(FAULTS)),-o docs/sabotage.md)

sabotage-code: $(READY) $(MUTMUT) ## Break the code (MODULES='suites.cors client.wire'), print what its unit tests do not notice
	@mkdir -p .hoplab
	@PYTHONPATH=$(MUTMUT) $(BIN)/python -m scripts.mutations $(MODULES) --resume .hoplab/mutations.txt $(if $(MODULES),,-o docs/mutations.md)

$(MUTMUT): | $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --target $@ mutmut==3.8.1

docs: $(READY) ## Write the generated parts of the documentation
	@$(BIN)/python scripts/generate_docs.py

lock: $(READY) ## Resolve the locked requirements again (needs uv)
	@scripts/lock

setup: $(READY) ## Make the virtual environment (the others do it when they need it)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hoplab needs Python 3.11 or later: make PYTHON=python3.13 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv "$(VENV)" || { echo "On Debian and Ubuntu: apt install python3-venv" >&2; rm -rf "$(VENV)"; exit 1; }
	@echo "Installing into $(VENV) …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch "$@"
