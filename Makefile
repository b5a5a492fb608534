# Everything a user or a developer types. `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3.11
BIN := .venv/bin
BENCHES := all compare overload snapshot budget scale history
ARGS ?=

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

# The two stamps hold the hash-checked environments: what runs, and what also checks and tests.
.venv/uv.stamp: requirements/setup.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not on the PATH: install Python 3.11, or say make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --require-hashes --disable-pip-version-check -r requirements/setup.txt
	@touch $@

.venv/runtime.stamp: .venv/uv.stamp requirements/runtime.txt pyproject.toml
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/runtime.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.stamp: .venv/runtime.stamp requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

chromium: # asked each time, for it belongs to the machine
	@requirements/chromium.sh

setup: .venv/dev.stamp chromium ## installs all that the checks and tests need, into .venv (and Chromium from Debian)

demo: .venv/runtime.stamp ## sends the seed's example to a handset and shows both ends (ARGS=--once to stop after)
	@$(BIN)/smsdesk demo $(ARGS)

run: .venv/runtime.stamp ## the server: smsdesk serve (ARGS=... are its options)
	@$(BIN)/smsdesk serve $(ARGS)

check: .venv/dev.stamp ## lint, types, import rules, size budgets, lock files
	@$(BIN)/ruff format --check src tests
	@$(BIN)/ruff check src tests
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest -q -p no:cacheprovider tests/rules

test: .venv/dev.stamp chromium ## the whole suite (ARGS=... go to pytest)
	@$(BIN)/pytest -n 2 --dist loadgroup $(ARGS)

bench: .venv/runtime.stamp ## every figure of the README and docs, as ratios, on one page; 40 minutes (ARGS="accept --rounds 1": one of them)
	@if [ -n "$(ARGS)" ]; then $(BIN)/smsdesk bench $(ARGS); else mkdir -p build/bench; \
	for each in $(BENCHES); do $(BIN)/smsdesk bench $$each --json > build/bench/$$each.json || exit; done; \
	$(BIN)/smsdesk bench promises $(BENCHES:%=build/bench/%.json); fi

format: .venv/dev.stamp ## rewrites the code in the one format
	@$(BIN)/ruff format src tests && $(BIN)/ruff check --fix-only src tests

lock: .venv/uv.stamp ## renews the hashed requirement files from the .in files
	@for f in setup runtime dev; do $(BIN)/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" requirements/$$f.in -o requirements/$$f.txt; done

words: .venv/dev.stamp ## renews the desk's catalogues of words from its code and pages
	@$(BIN)/python -m tests.words

pictures: .venv/dev.stamp chromium ## takes the pictures of the README and the docs anew
	@$(BIN)/python -m tests.pictures

.PHONY: help setup chromium demo run check test bench format lock words pictures
