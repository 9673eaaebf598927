# Each target sets up what it needs first; a second call finds it done.
SHELL := /bin/sh
.DEFAULT_GOAL := help
ENGINE ?=
JOBS ?= auto
PY := .venv/bin/python
export PYTHONUNBUFFERED := 1

.PHONY: help setup run demo test check fmt docs migrate verify bench fuzz prove reset lock

help: ## What one can ask for
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## The Python environment, from the lock
	@bin/setup

run: setup ## The whole back office with two demo agencies, in the foreground (ENGINE=cluster for the real server)
	@exec $(PY) -m cli up --demo $(if $(ENGINE),--engine $(ENGINE))

demo: setup ## A month of trading through HTTP against a fresh home; documents end up in out/
	@exec $(PY) -m cli demo $(if $(ENGINE),--engine $(ENGINE))

check: setup ## Rules and types
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo
	@$(PY) -m pytest -q tests/test_house_rules.py

test: check ## The rules and the whole suite in parallel (ENGINE=cluster: all on the real server)
	@ALLOTMENT_TEST_ENGINE=$(or $(ENGINE),dev) exec $(PY) -m pytest -n $(JOBS) --dist worksteal

fmt: setup ## Formats and mends what can be mended
	@.venv/bin/ruff format --quiet .
	@.venv/bin/ruff check --fix --quiet .

docs: setup ## The pages of docs/ that are made from the code
	@exec $(PY) -m docs.write

migrate: setup ## The newest tables in the home's database
	@exec $(PY) -m cli migrate

verify: setup ## The invariants over all tenants of the home
	@exec $(PY) -m cli verify

bench: setup ## How fast the hot paths are
	@exec $(PY) -m bench

fuzz: setup ## Random requests of every operation for an hour (MINUTES=60)
	@exec $(PY) -W ignore -m tests.api.fuzzing --minutes $(or $(MINUTES),60)

prove: setup ## Tests, then the demo, then the oracle
	@$(MAKE) --no-print-directory test ENGINE=$(ENGINE)
	@$(MAKE) --no-print-directory demo ENGINE=$(ENGINE)

reset: setup ## Forgets everything in the home
	@exec $(PY) -m cli reset --yes

lock: setup ## Newest versions into the two locks
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url \
		--no-header --no-annotate pyproject.toml -o requirements.lock
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url \
		--no-header --no-annotate pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
