# Needs python3 (3.11 or newer), its pip, and make; no venv package, nothing installed on the system.
#
#   make certify                  set everything up, certify a simulated unit, print where its certificate is
#   make test                     set everything up, run the framework's own tests
#   make certify SERIAL=SP-000042 STATION=bench-1 STAGE=release
#   make fuzz                     fuzz every parser, FUZZ_S=60 seconds each where atheris is
#   make lint | bench | faults | reliability | doctor | lock | clean

PYTHON3 ?= python3
SERIAL ?= SP-000123
STATION ?= sim
STAGE ?= production
FUZZ_S ?= 60

VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
# What Python compiled once it need not compile again: each of many processes would, for half of its time.
unexport PYTHONDONTWRITEBYTECODE
# The system's pip works on the environment from outside: Debian has no ensurepip, and refuses to touch itself.
PIP := $(PYTHON3) -m pip --disable-pip-version-check --python $(PYTHON)

# what we are measured against has an environment of its own: its dependencies are none of ours
OPENHTF := .venv-bench

.PHONY: certify test fuzz lint bench faults reliability doctor setup lock clean

certify: $(READY)
	$(PYTHON) -m hil.cli certify $(SERIAL) --station $(STATION) --stage $(STAGE)

test: $(READY)
	$(PYTHON) -m pytest --numprocesses=4 --dist=worksteal

fuzz: $(READY)
	FUZZ_S=$(FUZZ_S) $(PYTHON) -m pytest tests/fuzz --numprocesses=4 --dist=worksteal

lint: $(READY)
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	$(VENV)/bin/lint-imports

bench: $(READY) $(OPENHTF)/.ready
	@missed=0; for path in benchmarks/bench_*.py; do \
	  $(PYTHON) -m benchmarks.$$(basename $$path .py) || missed=1; echo; done; exit $$missed

faults: $(READY)
	$(PYTHON) -m benchmarks.fault_table

# Every interruption and misbehaviour there is, on runs in real time: 11 minutes on two idle cores.
reliability: $(READY)
	$(PYTHON) -m benchmarks.reliability_table

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

$(OPENHTF)/.ready: benchmarks/openhtf_requirements.txt
	@echo 'Setting up $(OPENHTF) with OpenHTF: half a minute, once.'
	$(PYTHON3) -m venv --clear --without-pip $(OPENHTF)
	$(PYTHON3) -m pip --disable-pip-version-check --python $(OPENHTF)/bin/python install --quiet --require-hashes \
	  --requirement benchmarks/openhtf_requirements.txt
	@touch $@

# Versions and hashes of everything, for every platform; no address of any package index may get into the file.
lock: $(READY)
	$(PIP) install --quiet uv
	$(VENV)/bin/uv pip compile --quiet --system-certs --universal --generate-hashes --no-header \
	  --no-emit-index-url --no-emit-find-links --upgrade --all-extras --output-file requirements.lock pyproject.toml
	$(VENV)/bin/uv pip compile --quiet --system-certs --python-version 3.11 --universal --generate-hashes --no-header \
	  --no-emit-index-url --no-emit-find-links --upgrade --output-file benchmarks/openhtf_requirements.txt \
	  benchmarks/openhtf_requirements.in

clean:
	rm -rf $(VENV) $(OPENHTF) runs
