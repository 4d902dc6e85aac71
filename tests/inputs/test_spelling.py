"""Names with accents are found however they are spelt on the disk."""

import unicodedata

import pytest

from blinkpair.errors import ChoiceError
from blinkpair.inputs.spelling import path_on_disk

FORMS = ("NFC", "NFD")


def spelt(form, text):
    return unicodedata.normalize(form, text)


@pytest.fixture(params=FORMS)
def form(request, tmp_path, monkeypatch):
    """Return the spelling of the files in the working directory."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / spelt(request.param, "Gräser")
    folder.mkdir()
    for name in ("é 1.tif", "é 2.tif", "plain.tif"):
        (folder / spelt(request.param, name)).touch()
    return request.param


@pytest.mark.parametrize("written", FORMS)
@pytest.mark.parametrize(
    "path",
    ["Gräser/é 1.tif", "Gräser/plain.tif", "Gräser/é 1.tif::frames=60", "Gräser/é ?.tif", "Gräser",
     "./Gräser/é *.tif::channel=é"],
)  # fmt: skip
def test_a_path_is_found_under_the_spelling_of_the_disk(form, written, path):
    file, choice, value = path.partition("::")
    found = path_on_disk(spelt(written, path))
    assert found == spelt(form, file) + choice + spelt(written, value)


def test_a_folder_elsewhere_is_found_too(form, tmp_path):
    written = next(other for other in FORMS if other != form)
    whole = str(tmp_path / "Gräser" / "é 1.tif")
    assert path_on_disk(spelt(written, whole)) == spelt(form, whole)
    there = path_on_disk(spelt(written, "Gräser/é 1.tif"), tmp_path)
    assert there == spelt(form, "Gräser/é 1.tif")


def test_what_is_nowhere_stays_as_it_was_written(form):
    for path in ("nowhere/é.tif", "Gräser/ö.tif", "é*.tif", "a.tif", "é.tif::frame=x"):
        assert path_on_disk(path) == path


def test_a_name_that_is_there_is_taken_before_another_spelling(form):
    for other in FORMS:
        (folder := spelt(form, "Gräser"))
        with open(f"{folder}/{spelt(other, 'é 1.tif')}", "w"):  # noqa: PTH123
            pass
    for other in FORMS:
        path = f"{folder}/{spelt(other, 'é 1.tif')}"
        assert path_on_disk(path) == path
    with pytest.raises(ChoiceError, match="spelt in two ways"):
        path_on_disk(f"{folder}/é ?.tif")
