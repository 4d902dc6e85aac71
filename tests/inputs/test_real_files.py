"""What is found out about real files before anything is started."""

from pathlib import Path

import numpy as np
import pytest

from blinkpair.inputs.checking import check_everything
from blinkpair.inputs.columns import PATH_COLUMNS
from blinkpair.inputs.problems import UnsoundInputError
from tests.helpers.nd2_files import read_chunks, write_nd2

HEADER = ["field", "temperature_c", *PATH_COLUMNS]
REAL_DATA = Path(__file__).parents[3] / "shared" / "realdata"


def test_a_real_nd2_and_a_real_tiff_are_understood(tmp_path):
    pytest.importorskip("blinkpair.movie")
    tifffile = pytest.importorskip("tifffile")
    for value, epoch in enumerate(("pre", "post")):
        chunks = read_chunks()
        first = bytearray(chunks[b"ImageDataSeq|0!"])
        first[-2] ^= value  # a pixel: else the epochs would be copies of each other
        write_nd2(tmp_path / f"{epoch}.nd2", chunks | {b"ImageDataSeq|0!": bytes(first)})
        tifffile.imwrite(tmp_path / f"{epoch}.tif", np.full((32, 48), value, np.uint16))
    row = ["A", "70", "pre.tif", "pre.nd2", "post.tif", "post.nd2"]
    (tmp_path / "fields.tsv").write_text("\t".join(HEADER) + "\n" + "\t".join(row) + "\n")
    _, fields, _, notes, *_ = check_everything({"fields": "fields.tsv"}, tmp_path)
    assert fields["exposure_s"].item() == pytest.approx(0.02)
    assert fields["pixel_size_um"].item() == pytest.approx(0.16)
    assert sum("25 frames only" in note for note in notes) == 2

    (tmp_path / "post.nd2").write_bytes((tmp_path / "post.nd2").read_bytes()[:5000])
    with pytest.raises(UnsoundInputError, match=r"line 2, column post_pl \(field A\)"):
        check_everything({"fields": "fields.tsv"}, tmp_path)


def test_the_independent_sample_field_is_sound(tmp_path):
    folder = REAL_DATA / "sample_field"
    if not folder.is_dir():
        pytest.skip("the independent sample field is not beside the project")
    pytest.importorskip("blinkpair.movie")
    names = ["pre_bf.nd2", "pre_pl.nd2", "post_bf.nd2", "post_pl.nd2"]
    row = ["A", "100", *(str(folder / name) for name in names)]
    (tmp_path / "fields.tsv").write_text("\t".join(HEADER) + "\n" + "\t".join(row) + "\n")
    _, fields, *_ = check_everything({"fields": "fields.tsv"}, tmp_path)
    assert fields["exposure_s"].item() == pytest.approx(0.02, rel=0.01)
    assert fields["pixel_size_um"].item() == pytest.approx(0.16, rel=0.01)
