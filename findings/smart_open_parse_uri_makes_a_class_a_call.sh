#!/usr/bin/env bash
# smart_open 7.7.1: parse_uri makes a new namedtuple class at every call, so that the parts of one path are
# never of one type, and a call costs what a class costs.
#
# One expects a function that splits a short text to take a microsecond and to be free to call often. It
# takes some hundred: `collections.namedtuple` writes and compiles a class of the keys each time ("just to
# keep the old tests happy", as its comment says). Snakemake 9.27.1 calls it several times a job, for the path
# of the job's script: a tenth of the time in which it plans thousands of jobs. The result depends on the text
# alone, so that `smart_open.parse_uri = functools.cache(smart_open.parse_uri)` takes that away; Snakemake
# imports the name at each call.
#
# Seen: equal parts True, one type False, more than ten times as long as urllib's urlsplit True; cached: True
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check smart-open==7.7.1
seen=$("$folder/venv/bin/python" -c "
import functools, timeit
from urllib.parse import urlsplit
from smart_open import parse_uri
path = '/data/lab/step.py'
one, other = parse_uri(path), parse_uri(path)
def seconds(call):
    return min(timeit.repeat(call, number=200, repeat=5))
# Paths that differ, since urlsplit remembers what it has split.
names = iter(f'{path}{i}' for i in range(10**6))
split = seconds(lambda: urlsplit(next(names)))
parsed = seconds(lambda: parse_uri(path))
cached = functools.cache(parse_uri)
print(one == other, type(one) is type(other), parsed > 10 * split, type(cached(path)) is type(cached(path)))")
echo "equal parts, one type, more than ten times as long as urlsplit, one type if cached: $seen"
[ "$seen" = "True False True True" ]
