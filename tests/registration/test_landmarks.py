"""Landmarks named by hand: read with care, and good enough to start the refinement."""

from __future__ import annotations

import numpy as np
import pytest

from blinkpair.errors import InputError
from blinkpair.registration.fields import register_field
from blinkpair.registration.landmarks import read_landmarks
from blinkpair.registration.rigid import apply_matrix
from blinkpair.simulate import rigid_matrix


def test_landmarks_start_the_refinement_where_microspheres_do_not_decide():
    rng = np.random.default_rng(1)
    matrix = rigid_matrix(77.0, (20.0, -30.0), (512, 512))
    # Two spheres in common and a few nanocrystals: too little for a search over all rotations.
    spheres = rng.random((2, 2)) * 200 + 150
    spots = rng.random((8, 2)) * 300 + 100
    offset = np.array([1.0, -1.0])
    pointed = np.hstack([spheres, apply_matrix(matrix, spheres) + offset]) + rng.normal(
        0, 0.7, (2, 4)
    )
    post = apply_matrix(matrix, spots) + rng.normal(0, 0.05, (8, 2))
    alone = register_field(
        spheres, apply_matrix(matrix, spheres), spots[:2], post[:2], shape=(512, 512)
    )
    assert alone.final.status == "failed"
    by_hand = register_field(
        spheres, apply_matrix(matrix, spheres), spots, post, shape=(512, 512), landmarks=pointed
    )
    assert by_hand.evidence == "landmarks and nanocrystals"
    error = apply_matrix(by_hand.final.matrix, spots) - apply_matrix(matrix, spots)
    assert np.hypot(*error.T).max() < 0.2


def test_landmarks_that_disagree_are_refused():
    swapped = np.array([[100.0, 100, 300, 100], [300, 100, 100, 100], [200, 300, 200, 300]])
    nothing = np.empty((0, 2))
    result = register_field(nothing, nothing, nothing, nothing, shape=(512, 512), landmarks=swapped)
    assert result.final.status == "failed"
    assert "landmark" in result.final.reason


def test_a_csv_of_landmarks_is_read(tmp_path):
    path = tmp_path / "landmarks.csv"
    path.write_text("\ufeffx_pre;y_pre;x_post;y_post\n1;2;3;4\n5;6;7;8.5\n", encoding="utf-8")
    assert read_landmarks(path).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8.5]]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x_pre,y_pre,x_post\n1,2,3\n4,5,6\n", "y_post"),
        ("x_pre,y_pre,x_post,y_post\n1,2,3,4\n1,two,3,4\n", "line 3"),
        ("x_pre,y_pre,x_post,y_post\n1,2,3,4\n", "1 landmark"),
        ("", "not a readable table"),
    ],
)
def test_a_wrong_file_is_an_error_that_names_the_fault(tmp_path, text, complaint):
    path = tmp_path / "landmarks.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=complaint):
        read_landmarks(path)
