#!/usr/bin/env bash
# pytest-xdist 3.8.0 with pytest 9.2.0: `--dist loadgroup` does not keep a group in one process.
#
# Six tests in six files carry the mark xdist_group("one"). One expects that a single process runs them
# all, so that an expensive session fixture is made once. They are spread over both processes, as with
# `--dist load`, without a warning: xdist writes the group into an attribute of the test item that this
# pytest no longer reads. A scheduler of a few lines, given by the hook pytest_xdist_make_scheduler,
# groups them.
#
# Seen: loadgroup: 2 processes, own scheduler: 1 process
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pytest==9.2.0 pytest-xdist==3.8.0
mkdir "$folder/tests"
cd "$folder/tests"
for k in 1 2 3 4 5 6; do
  cat > "test_$k.py" <<'PYTHON'
import os, pathlib, time
import pytest

@pytest.mark.xdist_group("one")
def test_it():
    time.sleep(0.5)
    pathlib.Path(os.environ["SEEN"], str(os.getpid())).touch()
PYTHON
done

processes() {
  export SEEN
  SEEN=$(mktemp -d -p "$folder")
  "$folder/venv/bin/python" -m pytest -q -n 2 "$@" > "$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
  find "$SEEN" -type f | wc -l
}

by_option=$(processes --dist loadgroup)
cat > conftest.py <<'PYTHON'
from xdist.scheduler import LoadScopeScheduling

class Together(LoadScopeScheduling):
    def _split_scope(self, nodeid):
        return "one"

def pytest_xdist_make_scheduler(config, log):
    return Together(config, log)
PYTHON
by_hook=$(processes)
echo "loadgroup: $by_option processes, own scheduler: $by_hook process"
[ "$by_option" = 2 ] && [ "$by_hook" = 1 ]
