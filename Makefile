# Every target sets itself up from nothing: Python 3.11 or later, pip and make are enough.
PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
# Modules of another environment would take the place of those in .venv/.
unexport PYTHONPATH PYTHONHOME
# Some containers have Python forget what it compiled: every step would compile the library again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo new test quick-tests test-all check docs lock audit accuracy paper robustness benchmark clean

demo: .venv/run.stamp
	@test -f demo/complete || { echo "Simulating the experiment into demo/ ..."; \
	  rm -rf demo && PYTHONPATH=scripts $(BIN)/python -m blinkpair.simulate demo \
	  && touch demo/complete; }
	@$(BIN)/snakemake --cores $(CORES) --config fields=config/fields.tsv ensemble=config/ensemble.tsv
	@PYTHONPATH=scripts $(BIN)/python -m blinkpair.report.terminal results

# A new experiment of your own: make new FOLDER=~/my_experiment MOVIES=/data/my_movies
new: .venv/run.stamp
	@test -n "$(FOLDER)" || { echo "Name its folder: make new FOLDER=~/my_experiment MOVIES=/data/my_movies"; exit 1; }
	@PYTHONPATH=scripts $(BIN)/python -m blinkpair.run.new "$(FOLDER)" $(if $(MOVIES),--movies "$(MOVIES)")

# Both at once: to check the types keeps one processor busy for half a minute.
test: .venv/dev.stamp
	@$(MAKE) --no-print-directory --jobs=2 check quick-tests

quick-tests: .venv/dev.stamp
	$(BIN)/python -m pytest -n 2 --no-loadscope-reorder -m "not slow"

# And the slow ones: runs that are killed or made again, damaged files through the whole analysis,
# and a real Slurm, which the tests run themselves (as root, with slurm-wlm and munge; they skip
# elsewhere).
test-all: test
	$(BIN)/python -m pytest -n 2 --no-loadscope-reorder -m slow

# Style, types and the workflow's own linter.
check: .venv/dev.stamp
	$(BIN)/ruff check scripts tests benchmarks
	$(BIN)/ruff format --check scripts tests benchmarks
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	PYTHONPATH=scripts $(BIN)/lint-imports --no-cache
	$(BIN)/codespell

# The pages and the library's docstrings as a site, in site/.
docs: .venv/dev.stamp
	$(BIN)/python -m sphinx -q -W -c docs/site . site
	@echo "Open site/docs/index.html"

# One, forty, six and ten minutes on 2 cores; they bring the pages of docs/ up to date.
accuracy: .venv/dev.stamp
	PYTHONPATH=scripts $(BIN)/python -m benchmarks.accuracy --write docs/accuracy.md
	PYTHONPATH=scripts $(BIN)/python -m benchmarks.accuracy.cameras --write docs/accuracy.md
	PYTHONPATH=scripts $(BIN)/python -m benchmarks.accuracy.one_pass --write docs/accuracy.md
	PYTHONPATH=scripts $(BIN)/python -m benchmarks.registration --write docs/registration.md
	PYTHONPATH=scripts $(BIN)/python -m benchmarks.blinking --write docs/blinking.md
	PYTHONPATH=scripts $(BIN)/python -m benchmarks.ensemble --write docs/ensemble.md
	PYTHONPATH=scripts $(BIN)/python -m benchmarks.statistics --write docs/statistics.md

# The paper's experiment at its own size, 168 GB of simulated movies, 45 GB on the disk at a time;
# `make paper PAPER="frames=2000 fields=1,2,1,1"` is a tenth of it or less. Brings docs/paper.md up to
# date.
PAPER ?= frames=20000 fields=2,3,2,1
paper: .venv/dev.stamp
	mkdir -p paper
	$(BIN)/snakemake -s benchmarks/paper/Snakefile --directory paper --cores $(CORES) --quiet rules \
	  --config $(PAPER)
	PYTHONPATH=scripts $(BIN)/python -m benchmarks.paper paper --write docs/paper.md

# Half an hour: runs that are killed, disks that are full (Linux, root), damaged files.
robustness: .venv/dev.stamp
	PYTHONPATH=scripts $(BIN)/python -m benchmarks.robustness --write docs/robustness.md

# Half an hour, and 35 GB of disk for a field of the paper's size in several formats.
benchmark: .venv/dev.stamp
	PYTHONPATH=scripts $(BIN)/python -m benchmarks.speed --write docs/speed.md
	PYTHONPATH=scripts $(BIN)/python -m benchmarks.scale.start --write docs/scale.md
	PYTHONPATH=scripts $(BIN)/python -m benchmarks.scale.pooled --write docs/scale.md

# The lock files are made from envs/*.in; run.lock is a part of dev.lock.
lock:
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip -q install uv
	cd envs && for name in dev run; do ../.venv-lock/bin/uv pip compile -q --universal \
	  --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --no-emit-find-links $$name.in -o $$name.lock $$([ $$name = run ] && echo "-c dev.lock"); done
	rm -rf .venv-lock

# Known vulnerabilities of the locked versions; asks PyPI, and fails where it does not answer.
audit:
	$(PYTHON) -m venv .venv-audit && .venv-audit/bin/pip -q install pip-audit
	.venv-audit/bin/pip-audit --strict --require-hashes --disable-pip \
	  -r envs/run.lock -r envs/dev.lock; status=$$?; rm -rf .venv-audit; exit $$status

.venv/run.stamp: envs/run.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "blinkpair needs Python 3.11 or later; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what blinkpair needs into .venv/ (a minute or two) ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/run.lock
	@sed -i.bak '$(ALONE)' $(BIN)/snakemake && rm $(BIN)/snakemake.bak
	@touch $@

# Typed by hand, the command leaves modules of another environment aside, too: it starts again
# without PYTHONPATH, before it loads any.
ALONE := s/^from snakemake.cli import main$$/import os; "PYTHONPATH" in os.environ and \
(os.environ.pop("PYTHONPATH"), os.execv(sys.executable, [sys.executable, *sys.argv])); &/

.venv/dev.stamp: envs/dev.lock .venv/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/dev.lock
	@touch $@

# What make itself made. Results stay, with Snakemake's record of how they were made.
clean:
	rm -rf .venv demo paper
	@if [ -d results ]; then echo "results/, logs/ and .snakemake/ are left: they may be yours."; fi
