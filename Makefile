# Needs python3 (3.11 or newer), its pip, and make; no venv package, nothing installed on the system.
#
#   make certify                  set everything up, certify a simulated unit, print where its certificate is
#   make test                     set everything up, run the framework's own tests
#   make certify SERIAL=SP-000042 STATION=bench-1 STAGE=release
#   make lint | bench | faults | doctor | lock | clean

PYTHON3 ?= python3
SERIAL ?= SP-000123
STATION ?= sim
STAGE ?= production

VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
# The system's pip works on the environment from outside: Debian has no ensurepip, and refuses to touch itself.
PIP := $(PYTHON3) -m pip --disable-pip-version-check --python $(PYTHON)

.PHONY: certify test lint bench faults doctor setup lock clean

certify: $(READY)
	$(PYTHON) -m hil.cli certify $(SERIAL) --station $(STATION) --stage $(STAGE)

test: $(READY)
	$(PYTHON) -m pytest --numprocesses=logical --maxprocesses=4 --dist=worksteal

lint: $(READY)
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	$(VENV)/bin/lint-imports

bench: $(READY)
	@set -e; for path in benchmarks/bench_*.py; do $(PYTHON) -m benchmarks.$$(basename $$path .py); done

faults: $(READY)
	$(PYTHON) -m benchmarks.fault_table

doctor: $(READY)
	$(PYTHON) -m hil.cli doctor

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'hil needs Python 3.11 or newer: sudo apt-get install python3, or make PYTHON3=python3.11'; exit 4; }
	@$(PYTHON3) -m pip --version >/dev/null || { echo 'hil needs pip: sudo apt-get install python3-pip'; exit 4; }
	@echo 'Setting up $(VENV): a minute or two, once.'
	$(PYTHON3) -m venv --clear --without-pip $(VENV)
	$(PIP) install --quiet --require-hashes --requirement requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@

# Versions and hashes of everything, for every platform; no address of any package index may get into the file.
lock: $(READY)
	$(PIP) install --quiet uv
	$(VENV)/bin/uv pip compile --quiet --system-certs --universal --generate-hashes --no-header \
	  --no-emit-index-url --no-emit-find-links --upgrade --extra dev --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) runs
