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

.PHONY: help run test browser-test audit setup clean

help:
	@echo "make run     simulate and run $(DAYS) days through Airflow, then print the report's path"
	@echo "             PROFILE=$(PROFILE) LAKE=$(LAKE) FIRST_DAY=$(FIRST_DAY) DAYS=$(DAYS)"
	@echo "make test    lint, import rules and tests; ARGS='-k mmr' goes to pytest"
	@echo "make browser-test  our pages and Airflow's, of a real week, in Chromium (apt install chromium)"
	@echo "make audit   look the pinned packages up among known vulnerabilities; needs PyPI itself"
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

browser-test: setup
	.venv/bin/python -m pytest tests/test_browser_pages.py tests/test_browser_airflow.py --real-week $(ARGS)

# Beside the environment and not in it: what audits must not decide what is installed. With --strict
# a package that could not be looked up is a failure, not silence.
audit: setup
	.venv/bin/python -m pip install --quiet --upgrade --target .venv/audit pip-audit==2.10.1
	for lock in requirements.lock requirements-java.lock requirements-benchmarks.lock; do \
		PYTHONPATH=.venv/audit .venv/bin/python -m pip_audit --strict --no-deps --disable-pip \
			--requirement $$lock || exit 1; done

clean:
	rm -rf .venv/*.stamp .venv .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
