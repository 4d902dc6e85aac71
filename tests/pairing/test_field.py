"""A field's tables, without its files."""

import numpy as np
import pandas as pd

from blinkpair.brightfield.microspheres import no_microspheres
from blinkpair.pairing.field import EpochTables, register_and_pair
from blinkpair.pairing.places import PairingSettings
from blinkpair.registration.fields import RegistrationSettings
from blinkpair.registration.rigid import apply_matrix
from blinkpair.simulate import rigid_matrix

SHAPE = (200, 200)


def epoch(xy, spheres, frames, drift_x_px):
    """Tables of a movie that stands still until its last stretch."""
    microspheres = no_microspheres().reindex(range(len(spheres)))
    microspheres[["x", "y"]] = spheres
    microspheres = microspheres.fillna(
        {"sigma_px": 0.1, "snr": 50.0, "contrast": -100.0, "roundness": 1.0}
    )
    found = pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1], "error_px": 0.05, "counts": 500.0})
    drift = pd.DataFrame(
        {"frame": [9.0, 509.0, 1000.0, 1019.0], "x_px": [0.0, 0.0, 0.0, drift_x_px], "y_px": 0.0}
    ).assign(measured=True, psf_sigma_px=0.9)
    info = {
        "status": "ok",
        "reason": "",
        "shape": (frames, *SHAPE),
        "n_nanocrystals": len(xy),
        "stretch_digests": [str(frames)],
        "drift_max_px": abs(drift_x_px),
        "drift_start_error_px": 0.0,
        "hot_pixels": (),
    }
    return EpochTables(
        microspheres,
        {"status": "ok", "reason": "", "diameter_px": None},
        found.assign(wide=False, significance=20.0),
        info,
        drift,
    )


def test_an_aperture_that_leaves_the_sensor_at_the_end_of_the_longer_movie_is_excluded():
    """Epochs may differ by a few frames: here the sample drifts by 3 px in the last 20."""
    rng = np.random.default_rng(1)
    matrix = rigid_matrix(25.0, (3.0, -4.0), SHAPE)
    post = np.array([(x, y) for x in range(15, 196, 15) for y in range(15, 196, 15)], float)
    post += rng.uniform(-4, 4, post.shape)
    post[0] = (197.0, 100.0)
    spheres = rng.uniform(30, 170, (15, 2))
    back = np.linalg.inv(matrix)
    _, paired = register_and_pair(
        epoch(apply_matrix(back, post), apply_matrix(back, spheres), 1000, 0.0),
        epoch(post, spheres, 1020, 3.0),
        brightfields=lambda: (np.zeros(SHAPE), np.zeros(SHAPE)),
        diameter_px=6.0,
        landmarks="",
        registration=RegistrationSettings(),
        pairing=PairingSettings(),
    )
    at_edge = paired.table["x_post"] > SHAPE[1] - 0.5 - 1.5 - 3.0
    inside = paired.table["excluded_because"] != "outside"
    assert (at_edge & inside).sum() >= 1
    assert (paired.table.loc[at_edge & inside, "excluded_because"] == "edge").all()
    assert paired.table.loc[~at_edge, "analysed"].sum() > 50


def test_a_movie_of_another_field_is_refused_and_one_that_lost_most_nanocrystals_is_not():
    """With the right images of both, all nanocrystals in view would be counted as changed."""
    rng = np.random.default_rng(3)
    matrix = rigid_matrix(25.0, (3.0, -4.0), SHAPE)
    spheres, before, elsewhere = (rng.uniform(5, 195, (n, 2)) for n in (15, 60, 60))
    of_others = apply_matrix(matrix, before[:20])  # two thirds dark, as many others on
    for after, status in ((elsewhere, "failed"), (np.vstack([of_others, elsewhere[:20]]), "ok")):
        content, _ = register_and_pair(
            epoch(before, spheres, 1000, 0.0),
            epoch(after, apply_matrix(matrix, spheres), 1020, 0.0),
            brightfields=lambda: (np.zeros(SHAPE), np.zeros(SHAPE)),
            diameter_px=6.0,
            landmarks="",
            registration=RegistrationSettings(),
            pairing=PairingSettings(),
        )
        assert content["status"] == status
        assert ("the nanocrystals do not" in content["reason"]) == (status == "failed")
