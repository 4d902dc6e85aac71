#!/usr/bin/env bash
# scikit-image 0.26.0: under `python -OO` (or PYTHONOPTIMIZE=2), which removes docstrings, names that
# exist cannot be imported from skimage.transform.
#
# `from skimage.transform import SimilarityTransform` works without the flag. With it one expects the same,
# as docstrings are no code. It ends with "ImportError: cannot import name 'SimilarityTransform'", while
# `import skimage.transform` and `from skimage.measure import block_reduce` still work: a user sees a
# broken installation. Whoever starts a pipeline where PYTHONOPTIMIZE is set has to unset it for the jobs.
#
# Seen: plain works | -OO: cannot import name 'SimilarityTransform' | -OO, measure works
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-image==0.26.0 numpy==2.3.5 scipy==1.16.3
python="$folder/venv/bin/python"
plain=$("$python" -c "from skimage.transform import SimilarityTransform; print('works')")
measure=$("$python" -OO -c "from skimage.measure import block_reduce; print('works')")
if error=$("$python" -OO -c "from skimage.transform import SimilarityTransform" 2>&1); then
  echo "the import works under -OO now"
  exit 1
fi
stripped=$(grep -o "cannot import name 'SimilarityTransform'" <<< "$error")
echo "plain $plain | -OO: $stripped | -OO, measure $measure"
if [ "$plain" != works ] || [ "$measure" != works ]; then exit 1; fi
