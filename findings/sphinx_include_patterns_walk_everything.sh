#!/usr/bin/env bash
# Sphinx 9.0.4: include_patterns chooses among the files of the source folder, and does not keep Sphinx from
# walking through all of them: a virtual environment in a repository's root takes a minute.
#
# A project with include_patterns = ["index.md", "docs/*.md"] beside a folder env/ of 50 folders: all 50 are
# listed, though no pattern can match a file in them. With exclude_patterns = ["env"] none is. One
# expects a list of what to include to say where to look. For a site whose source folder is the repository,
# so that links from README.md to docs/ hold, it took 66 of 73 processor seconds, and links to folders are
# followed, so that a linked environment is walked, too.
# A remedy: exclude_patterns = [".*", ...], although all of it is excluded by include_patterns already.
#
# Seen: folders of env/ listed: 50 with include_patterns alone, 0 with exclude_patterns as well
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sphinx==9.0.4 myst-parser==5.0.0
cat > "$folder/count.py" <<'PYTHON'
import os
import sys
from pathlib import Path

from sphinx.cmd.build import main

source = Path(sys.argv[1])
listed = set()


def watch(event, arguments):
    if event == "os.scandir":
        path = Path(os.fsdecode(arguments[0]))
        if path.parent.name == "env":
            listed.add(path.name)


sys.addaudithook(watch)
status = main(["-q", "-b", "dummy", str(source), str(source.parent / "built")])
print(status, len(listed))
PYTHON
seen=()
for excluded in '' '"env"'; do
  project="$folder/project${#excluded}/source"
  mkdir -p "$project/docs"
  for k in $(seq 50); do mkdir -p "$project/env/$k"; done
  printf '# Index\n\n```{toctree}\ndocs/page\n```\n' > "$project/index.md"
  printf '# Page\n' > "$project/docs/page.md"
  printf '%s\n' 'project = "p"' 'extensions = ["myst_parser"]' \
    'include_patterns = ["index.md", "docs/*.md"]' "exclude_patterns = [$excluded]" > "$project/conf.py"
  seen+=("$("$folder/venv/bin/python" "$folder/count.py" "$project")")
done
echo "status and folders of env/ listed: ${seen[0]} with include_patterns alone, ${seen[1]} with exclude_patterns"
[ "${seen[*]}" = "0 50 0 0" ]
