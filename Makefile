# The few verbs of the house. `make` alone lists them.

VENV    := .venv
BIN     := $(VENV)/bin
PEERS   := .venv-peers
WORKERS ?= 3
BILL    := build/sbom.cdx.json
PIP     := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK    := uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
           --no-emit-index-url --no-annotate --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test unit lint style types imports sbom audit bench lock

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.dev ## Create .venv and install everything, exactly as locked

demo: $(VENV)/.runtime ## Show Patron at work on simulated shops; no services needed
	$(BIN)/patron demo

test: setup ## Run the whole suite, against a real RabbitMQ and PostgreSQL
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadgroup --durations 10 $(ARGS)

unit: setup ## Run the tests that need no services
	$(BIN)/pytest tests/unit $(ARGS)

lint: style types imports sbom audit ## Check style, types, imports and what we depend on (-k: all)

style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

sbom: $(BILL) ## Write the bill of materials (CycloneDX) to build/

$(BILL): requirements/runtime.txt pyproject.toml | setup
	@mkdir -p $(@D)
	PYTHONWARNINGS=ignore $(BIN)/cyclonedx-py requirements --pyproject pyproject.toml \
	    --output-reproducible --validate --output-file $@ requirements/runtime.txt

audit: setup ## Ask for known vulnerabilities of what is locked (ARGS=--required: it must answer)
	$(BIN)/python requirements/audit.py $(ARGS) requirements/runtime.txt requirements/tracing.txt

bench: setup $(PEERS)/.installed ## Measure the pipeline, and its peers, on this machine
	$(BIN)/python -m benchmarks.pipeline $(ARGS)
	$(BIN)/python -m benchmarks.peers $(ARGS)

lock: ## Choose the newest versions allowed and lock them (needs uv)
	$(LOCK) pyproject.toml --output-file requirements/runtime.txt
	$(LOCK) pyproject.toml --extra sandbox --constraints requirements/runtime.txt \
	    --output-file requirements/sandbox.txt
	$(LOCK) pyproject.toml --extra tracing --constraints requirements/runtime.txt \
	    --output-file requirements/tracing.txt
	$(LOCK) pyproject.toml --all-extras --group dev --constraints requirements/sandbox.txt \
	    --constraints requirements/tracing.txt --output-file requirements/dev.txt
	$(LOCK) requirements/build.in --constraints requirements/dev.txt \
	    --output-file requirements/build.txt
	$(LOCK) benchmarks/peers/requirements.in --constraints requirements/runtime.txt \
	    --output-file benchmarks/peers/requirements.txt

# --- what is installed, and when it has to be again -------------------------------------------

$(BIN)/python:
	requirements/make-venv $(VENV)

$(VENV)/.runtime: $(BIN)/python requirements/build.txt requirements/sandbox.txt pyproject.toml
	$(PIP) --require-hashes -r requirements/build.txt -r requirements/sandbox.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

# The frameworks that the benchmark compares with: never beside the product.
$(PEERS)/.installed: benchmarks/peers/requirements.txt
	requirements/make-venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check \
	    --require-hashes -r $<
	@touch $@
