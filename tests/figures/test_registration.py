"""The figure of a registration shows what was matched, what carried it, and why a field failed."""

import numpy as np
import pytest
from matplotlib.quiver import Quiver

from blinkpair.figures import registration
from tests.helpers.figures import words


def test_registered_images_coincide_in_grey_though_the_contrast_flips(field):
    figure = registration.registration_check(**field)
    overlay = np.asarray(figure.axes[0].images[0].get_array())
    for x, y in field["pre"].microspheres[:5].astype(int):
        red, green, blue = overlay[y, x]
        assert min(red, green, blue) > 0.9  # white, from 1 for both before and after
    red, green, _ = overlay[90, 90]  # the one that is missing after
    assert red - green > 0.4
    assert "contrast inverted" in words(figure)


def test_residual_arrows_are_the_known_displacement(field):
    """After lies 0.3 px to the right, in the frame of before."""
    registered = field["registration"] | {"microsphere_pairs": None}
    shift = registered["matrix"][:2, :2] @ [0.3, 0.0]
    moved = field["post"]._replace(nanocrystals=field["post"].nanocrystals + shift)
    figure = registration.registration_check(field["pre"], moved, registered)
    (arrows,) = (item for item in figure.axes[2].collections if isinstance(item, Quiver))
    (title,) = (t.get_text() for t in figure.axes[2].texts if " times" in t.get_text())
    times = int(title.split(" times")[0].split()[-1])
    np.testing.assert_allclose(arrows.U / times, 0.3, atol=1e-9)
    np.testing.assert_allclose(arrows.V / times, 0.0, atol=1e-9)
    assert "longest 0.30 px" in words(figure)


def test_failed_field_shows_both_images_and_why(field):
    reason = "4 microspheres match where 3.8 are expected by chance."
    failed = {"status": "failed", "reason": reason, "matrix": None, "matrix_brightfield": None}
    figure = registration.registration_check(**field | {"registration": failed}, field="f7")
    assert len(figure.axes) == 2
    assert reason in words(figure)
    assert "f7: registration failed" in words(figure)


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        ("landmarks and nanocrystals", "f7: registered by hand, refined on nanocrystals"),
        ("microspheres together with nanocrystals", "f7: registered by both patterns together"),
        ("brightfield images", "f7: registered by its brightfield images as wholes"),
        ("microspheres and nanocrystals", "f7: registered"),
    ],
)
def test_what_carried_the_registration_is_stated(field, evidence, said):
    info = field["registration"] | {"evidence": evidence}
    info |= {"rotation_deg": -120.0, "translation_px": (-220.5, -135.0)}
    info |= {f"n_microspheres_{which}": 25 for which in ("matched", "pre", "post")}
    angles = np.linspace(-180, 178, 180)
    info["image_evidence"] = {"rotations_deg": angles, "scores": 4 + 12 * (angles == -120)}
    info["image_evidence"] |= {"tiles_pre": [[40, 50], [80, 60]], "tiles_agree": [True, False]}
    figure = registration.registration_check(**field | {"registration": info}, field="f7")
    text = words(figure)
    assert said in text
    figure.draw_without_rendering()
    assert max(line.get_window_extent().x1 for line in figure.texts) <= figure.bbox.width + 1
    assert ("by hand" in text) == evidence.startswith("landmarks")


def test_registration_without_anything_matched_is_drawn(field):
    none = field["registration"] | {"microsphere_pairs": [], "nanocrystal_pairs": []}
    views = [field[epoch]._replace(nanocrystals=[]) for epoch in ("pre", "post")]
    figure = registration.registration_check(*views, none | {"rms_px": None})
    assert "nothing matched" in words(figure)


def test_a_field_registered_by_its_nanocrystals_alone_is_no_failure(field):
    alone = field["registration"] | {"matrix_brightfield": None, "microsphere_pairs": []}
    figure = registration.registration_check(field["pre"], field["post"], alone)
    assert len(figure.axes) == 3
    assert "5 nanocrystals matched" in words(figure)
    assert len(figure.axes[0].images) == 1


@pytest.mark.parametrize("status", ["ok", "failed"])
def test_an_image_that_could_not_be_read_is_stated(field, status):
    missing = field["post"]._replace(brightfield=registration.no_image())
    registered = field["registration"] | {"status": status}
    figure = registration.registration_check(field["pre"], missing, registered)
    assert "no image" in words(figure)
