# Two commands, `make run` and `make test`; each sets the environment up first, once (setup.sh).

PROFILE ?= jingdong
LAKE ?= lake
FIRST_DAY ?= 2026-01-01
DAYS ?= 3
ARGS ?=

# Recipes read these as the shell's variables, so that a space or a quote in one stays itself.
export PROFILE LAKE FIRST_DAY DAYS
# A Spark or Python of the caller's would come before the pinned ones.
unexport SPARK_HOME PYTHONPATH PYTHONHOME

.PHONY: help run test setup clean

help:
	@echo "make run     simulate and run $(DAYS) days through Airflow, then print the report's path"
	@echo "             PROFILE=$(PROFILE) LAKE=$(LAKE) FIRST_DAY=$(FIRST_DAY) DAYS=$(DAYS)"
	@echo "make test    lint, import rules and tests; ARGS='-k mmr' goes to pytest"
	@echo "make setup   the environment alone (.venv); PYTHON=/path/to/python3.11 where none is found"
	@echo "make clean   remove the environment and caches; lakes stay"

setup:
	@bash setup.sh

run: setup
	@.venv/bin/python -m dags.run_days \
		--lake "$$LAKE" --profile "$$PROFILE" --first-day "$$FIRST_DAY" --days "$$DAYS"

test: setup
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/lint-imports
	.venv/bin/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

clean:
	rm -rf .venv/*.stamp .venv .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
