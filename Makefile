# Every target does all the set-up that it needs, in .venv. `make help` lists the targets.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TESTS := $(BIN)/python -m pytest -m "not slow"
CODE := src tests examples $(wildcard bench)
REVIEW := I was afraid of the street, but we slept like stones, and the people at the desk were very kind.
SENTENCE := Mark Zuckerberg founded Facebook in Palo Alto, and John Parker moved to New York.

.PHONY: help setup browser java demo docs test slow check bench clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1|/' | while IFS='|' read -r name what; do \
	    printf '  make %-6s %s\n' "$$name" "$$what"; done

setup: $(STAMP) ## install Tagline and everything it is trained and tested with, in .venv

# The stamp is written last, so that a broken installation is taken up again by the next call.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "setup: $(PYTHON) is $$($(PYTHON) -V 2>&1); Tagline needs Python 3.11 or newer. Type: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 2; }
	@if ! $(BIN)/python -c '' 2>/dev/null; then \
	    echo "setup 1/2: creating $(VENV) with $$($(PYTHON) -V)"; $(PYTHON) -m venv --clear $(VENV); fi
	@echo "setup 2/2: installing Tagline and its extras (about 2 GB unpacked; some minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
	    -e ".[train,parquet,plots,onnx,int8,app,vectors,serve,spark,java,tune,hub,docs,dev]" -c constraints.txt
	@touch $@
	@echo "setup: done"

demo: setup ## train on small generated corpora, show the scores, read a sentence and a review
	@echo "demo: reading a sentence with ner-news, which comes with Tagline"
	@$(BIN)/tagline predict ner-news --text "$(SENTENCE)"
	@echo "demo 1/5: writing a corpus"
	@$(BIN)/python examples/make_corpus.py build/demo-corpus
	@echo "demo 2/5: training a tagger"
	@$(BIN)/tagline train build/demo-corpus/train.conll --dev build/demo-corpus/dev.conll \
	    --test build/demo-corpus/test.conll -o build/demo-model --epochs 4 --overwrite
	@echo "demo 3/5: reading a sentence whose names are not in the corpus"
	@$(BIN)/tagline predict build/demo-model --text "$(SENTENCE)"
	@echo "demo 4/5: training a classifier of reviews, from one file"
	@$(BIN)/python examples/make_texts.py build/demo-texts
	@$(BIN)/tagline train build/demo-texts/reviews.tsv -o build/demo-classifier --epochs 3 --overwrite
	@echo "demo 5/5: labelling a review"
	@$(BIN)/tagline predict build/demo-classifier --text "$(REVIEW)" --all-scores
	@echo
	@echo "Next, on text of your own (one text a line):"
	@echo "  $(BIN)/tagline predict build/demo-model my.txt -o entities.jsonl"
	@echo "and on annotations of your own (CoNLL, JSONL, CSV, Parquet):"
	@echo "  $(BIN)/tagline train train.conll --dev dev.conll --test test.conll -o my-model"
	@echo "or on texts with labels (TSV, CSV, JSONL, Parquet with the columns text and label):"
	@echo "  $(BIN)/tagline train my-texts.tsv -o my-classifier"
	@echo "All options: $(BIN)/tagline predict --help"

docs: setup ## build the site of the documentation, its tutorials run: build/docs/index.html
	@echo "docs 1/2: building the site (the first time the tutorials are run; a minute or two)"
	@rm -rf build/docs
	@$(BIN)/python -m sphinx -q -W --keep-going -b html -d build/docs-doctrees docs build/docs
	@echo "docs 2/2: checking its links"
	@$(BIN)/python tests/docs/links.py build/docs

browser: setup ## have a Chromium for the tests of pages; without one they are skipped
	@$(BIN)/python tests/chromium.py || { \
	    echo "browser: installing Chromium"; \
	    { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq >/dev/null && \
	        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1; } || \
	    $(BIN)/python -m playwright install chromium >/dev/null 2>&1 || \
	    echo "browser: none can be had here; the tests of pages in a browser are skipped"; }

java: ## have a Java for the tests of Spark; without one they are skipped
	@command -v java >/dev/null || [ -n "$${JAVA_HOME:-}" ] || { \
	    echo "java: installing one"; \
	    { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq >/dev/null && \
	        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends default-jre-headless >/dev/null 2>&1; } || \
	    echo "java: none can be had here; install Java 17 or newer, else the tests of Spark are skipped"; }

test: check browser java ## lint, check types and run the tests
	@# Several processes: training after a thousand tests in one process has ended in a segmentation fault of native code.
	@# A process that is done takes tests from the other; but Spark and servers that a file has started serve the whole file.
	@# What fails beside other tests is tried once more by itself, and said: a busy machine is no reason, a mistake fails twice.
	@failed=0; for part in "--dist worksteal tests/train tests/cli" "--dist loadfile tests/docs tests/spark tests/serve" \
	    "--dist worksteal $(patsubst %,--ignore=tests/%,train cli docs spark serve)"; do \
	    $(TESTS) -n 2 $$part || { \
	        echo "test: what failed there once more, alone"; $(TESTS) -n 0 --last-failed $$part || failed=1; }; done; exit $$failed

slow: setup ## run the slow tests: whole corpora, memory over large files
	@$(BIN)/python -m pytest -m slow

check: setup ## lint, formatting and types
	@echo "check: ruff"
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	@echo "check: mypy"
	@$(BIN)/python -m mypy -n 2 $(CODE)

bench: setup ## measure quality, speed and memory
	@$(BIN)/python bench/run.py
	@$(BIN)/python bench/engines.py
	@$(BIN)/python bench/training.py
	@$(BIN)/python bench/serve.py build/accuracy/conll2003-3
	@$(BIN)/python bench/spark.py build/accuracy/conll2003-3

clean: ## remove what was built (all but .venv)
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests examples -name __pycache__ -type d -prune -exec rm -rf {} +
