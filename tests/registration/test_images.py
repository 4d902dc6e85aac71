"""Two brightfield images as wholes: registered right, or refused with the reason."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import binom

from benchmarks.registration import real_images
from blinkpair.errors import InputError
from blinkpair.registration.images.decision import joint_level
from blinkpair.registration.images.images import register_images
from blinkpair.registration.images.votes import log_tail
from blinkpair.registration.rigid import apply_matrix
from blinkpair.simulate import Camera, FieldDesign, simulate_field
from blinkpair.simulate.brightfield import Illumination, render_brightfield

SIDE = 192
SHAPE = (SIDE, SIDE)
DIAMETER = 6.25
GRID = np.stack(np.meshgrid(*[np.linspace(0, SIDE - 1, 9)] * 2), -1).reshape(-1, 2)


def simulated(seed, **changes):
    rng = np.random.default_rng([seed, 9])
    settings = {
        "n_microspheres": 28,
        "rotation_deg": float(rng.uniform(-180, 180)),
        "shift_px": tuple(rng.uniform(-20, 20, 2)),
    }
    design = FieldDesign(
        camera=Camera(shape=SHAPE), frames=4, n_nanocrystals=5, **(settings | changes)
    )
    return simulate_field(design, seed)


def register(field, **options):
    return register_images(
        field.brightfield_pre, field.brightfield_post, diameter_px=DIAMETER, **options
    )


def microsphere_errors(result, field):
    """Distances of the microspheres that stayed, and the radii of 95 % of the errors there."""
    spheres = field.microspheres[~field.microspheres["moved"]].dropna()
    before, after = (spheres[[f"x_{e}", f"y_{e}"]].to_numpy() for e in ("pre", "post"))
    seen = ((before > 0) & (before < SIDE - 1) & (after > 0) & (after < SIDE - 1)).all(axis=1)
    error = np.hypot(*(apply_matrix(result.matrix, before) - after).T)
    return error[seen], result.tre(before, 0.95)[seen]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"defocus": (1.0, -1.0)},
        {"touching_microspheres": 0.6},
        {"lost_microspheres": 0.3, "moved_microspheres": 0.1},
        {"n_dust": 60, "rotation_deg": 35.0, "shift_px": (20.0, 8.0)},
        {"microsphere_family": "rings"},
    ],
    ids=["plain", "contrast flipped", "touching", "lost", "dust of the camera", "rings"],
)
def test_simulated_fields_are_registered_to_a_fraction_of_a_pixel(changes):
    field = simulated(1, **changes)
    result = register(field)
    assert result.status == "ok", result.reason
    error, radius = microsphere_errors(result, field)
    assert error.max() < 0.5
    assert np.median(error) < 2 * np.median(radius)
    assert result.chance_alignments < 3e-4
    best = result.angles_deg[np.argmax(result.by_angle)]
    assert abs((best - result.rotation_deg + 180) % 360 - 180) < 3


def test_light_from_one_side_is_recognised_and_its_offset_is_within_the_stated_error():
    """Bright halves stay with the camera: an offset of all spheres alike, not seen as residuals."""
    field = simulated(1, n_microspheres=50, rotation_deg=90.0, shift_px=(12.0, -8.0))
    images = [
        real_images.lit_from_one_side(image.astype(float), DIAMETER)
        for image in (field.brightfield_pre, field.brightfield_post)
    ]
    result = register_images(*images, diameter_px=DIAMETER)
    assert result.status == "ok", result.reason
    assert "light from one side" in result.reason
    error, radius = microsphere_errors(result, field)
    assert (error < radius).all()
    assert error.max() < 0.3 * DIAMETER
    plain = register(field)
    assert plain.reason == ""
    assert np.median(plain.tre(GRID, 0.95)) < 0.2


def test_a_sample_that_did_not_move_is_refused():
    for seed in (1, 2):
        result = register(simulated(seed, rotation_deg=0.0, shift_px=(0.0, 0.0), n_dust=20))
        assert result.status == "failed"
        assert "in the same place in the second" in result.reason
        assert np.isnan(result.matrix).all()


def test_what_belongs_to_the_camera_does_not_vote():
    """Dust, a dark border and uneven light in one place, on samples that share nothing."""
    for seed in range(3):
        rng = np.random.default_rng([seed, 4])
        dust = rng.uniform(10, SIDE - 10, (25, 2))
        images = []
        for _ in range(2):
            xy = np.vstack([rng.uniform(0, SIDE, (12, 2)), dust])
            image = render_brightfield(SHAPE, xy, rng=rng).astype(float)
            image *= np.linspace(0.7, 1.2, SIDE)
            image[:, :22] *= 0.3
            images.append(image)
        result = register_images(*images, diameter_px=DIAMETER)
        assert result.status == "failed"
        assert result.static_share > 0.1


def on_fringes(amplitude, *, seed, **drawn):
    light = Illumination(fringe_amplitude=amplitude)
    rng = np.random.default_rng([seed, 12])
    return render_brightfield(
        SHAPE, drawn.pop("xy", None), diameter_px=8.0, illumination=light, rng=rng, **drawn
    ).astype(float)


@pytest.mark.parametrize("amplitude", [0.01, 0.03])
def test_fringes_of_the_camera_do_not_match_under_half_a_turn(amplitude):
    """Nor along themselves; the few objects of the sample are others in either image."""
    for seed in (0, 1):
        rng = np.random.default_rng([seed, 14])
        images = [
            on_fringes(
                amplitude,
                seed=10 * seed + k,
                debris_xy=rng.uniform(0, SIDE, (4, 2)),
                debris_seed=10 * seed + k,
            )
            for k in range(2)
        ]
        result = register_images(*images, diameter_px=8.0)
        assert result.status == "failed"
        assert result.chance_alignments > 0.01
        assert result.static_share > 0.5


@pytest.mark.parametrize("amplitude", [0.01, 0.03])
def test_few_spheres_on_fringes_are_registered(amplitude):
    turn = np.deg2rad(50)
    matrix = np.eye(3)
    matrix[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    middle = np.full(2, (SIDE - 1) / 2)
    matrix[:2, 2] = middle - matrix[:2, :2] @ middle
    for seed in (0, 1):
        xy = np.random.default_rng([seed, 13]).uniform(10, SIDE - 10, (12, 2))
        images = [
            on_fringes(amplitude, seed=10 * seed + k, xy=there)
            for k, there in enumerate((xy, apply_matrix(matrix, xy)))
        ]
        result = register_images(*images, diameter_px=8.0)
        assert result.status == "ok", result.reason
        assert np.hypot(*(apply_matrix(result.matrix, xy) - apply_matrix(matrix, xy)).T).max() < 0.2


def annotated(image):
    """The image with the scale bar and the text of a microscope's software."""
    from PIL import Image, ImageDraw

    layer = Image.new("L", image.shape[::-1], 0)
    draw = ImageDraw.Draw(layer)
    draw.rectangle([110, 172, 182, 176], fill=1)
    draw.text((130, 178), "10 um", fill=1)
    draw.text((5, 5), "Sample 12  100x  20 ms  2024-05-03", fill=1)
    return np.where(np.asarray(layer) > 0, image.max(), image)


def test_text_and_scale_bar_in_both_images_do_not_vote():
    """Beside spheres that turned, and beside others that share nothing."""
    turned, other = (simulated(seed, n_microspheres=28) for seed in (3, 4))
    found = register_images(
        annotated(turned.brightfield_pre), annotated(turned.brightfield_post), diameter_px=DIAMETER
    )
    assert found.status == "ok", found.reason
    assert microsphere_errors(found, turned)[0].max() < 0.5
    nothing = register_images(
        annotated(turned.brightfield_pre), annotated(other.brightfield_post), diameter_px=DIAMETER
    )
    assert nothing.status == "failed"


def test_a_larger_sensor_after_is_no_obstacle():
    field = simulated(5, shift_px=(10.0, -6.0))
    part = field.brightfield_pre[20:180, 25:185]
    found = register_images(part, field.brightfield_post, diameter_px=DIAMETER)
    assert found.status == "ok", found.reason
    inside = np.eye(3)
    inside[:2, 2] = -25, -20
    whole = SimpleNamespace(matrix=found.matrix @ inside, tre=found.tre)
    assert microsphere_errors(whole, field)[0].max() < 0.5


def test_unrelated_and_mirrored_images_are_refused():
    one = [simulated(seed).brightfield_pre for seed in range(4)]
    pairs = [(one[0], one[1]), (one[2], one[3]), (one[0], one[0][:, ::-1])]
    for pre, post in pairs:
        result = register_images(pre, post, diameter_px=DIAMETER)
        assert result.status == "failed"
        assert result.chance_alignments > 0.01


def test_a_lattice_of_equal_spheres_is_refused():
    rng = np.random.default_rng(5)
    turn = np.deg2rad(23.0)
    cos, sin = np.cos(turn), np.sin(turn)
    cells = 12.0 * np.stack(np.meshgrid(*[np.arange(-40, 40)] * 2), -1).reshape(-1, 2)
    images = []
    for rotation in (np.eye(2), np.array([[cos, -sin], [sin, cos]])):
        xy = cells @ rotation.T + SIDE / 2 + rng.uniform(-6, 6, 2)
        images.append(render_brightfield(SHAPE, xy, sizes=np.ones(len(xy)), rng=rng))
    result = register_images(*images, diameter_px=DIAMETER)
    assert result.status == "failed"


def test_another_magnification_is_refused_as_rigid_and_found_as_similarity():
    rng = np.random.default_rng(6)
    sample = gaussian_filter(rng.normal(size=(250, 250)), 2)
    from skimage.transform import SimilarityTransform, warp

    true = SimilarityTransform(scale=1.1, rotation=0.6, translation=(30, -45))
    post = warp(sample, true.inverse, output_shape=(160, 160), order=3)
    pre = sample[:160, :160]
    rigid = register_images(pre, post, diameter_px=8)
    assert rigid.status == "failed"
    found = register_images(pre, post, diameter_px=8, model="similarity")
    assert found.status == "ok", found.reason
    assert found.scale == pytest.approx(1.1, abs=0.002)
    there = apply_matrix(true.params, GRID)
    seen = ((there >= 0) & (there < 160) & (GRID < 160)).all(axis=1)
    assert np.hypot(*(apply_matrix(found.matrix, GRID) - there)[seen].T).max() < 0.5


def test_the_joint_level_is_the_expected_share_of_unrelated_images():
    rng = np.random.default_rng(7)
    # Expected numbers e of alignments as good, of which a share 1 - exp(-e) has one.
    levels = np.log(-np.log(rng.random((20_000, 2))))
    joint = np.array([joint_level(*row) for row in levels])
    for level in (0.01, 0.1, 0.5):
        expected = 4 * np.sqrt(level / len(joint))
        assert np.mean(joint <= level) == pytest.approx(level, abs=expected)


def test_the_tail_of_the_binomial_is_exact_and_continues_where_it_underflows():
    assert log_tail(9, 20, 0.1) == pytest.approx(np.log(binom.sf(8, 20, 0.1)))
    assert log_tail(0, 20, 0.1) == 0
    far = [log_tail(k, 400, 0.001) for k in range(60, 401, 20)]
    assert np.isfinite(far).all()
    assert (np.diff(far) < 0).all()


@pytest.mark.parametrize(
    ("image", "diameter", "message"),
    [
        (np.zeros((3, 64, 64)), 6.0, "not .rows, columns."),
        (np.full((64, 64), np.nan), 6.0, "not finite"),
        (np.zeros((64, 64)), 0.0, "not a positive number"),
    ],
)
def test_unusable_input_is_an_error_with_a_hint(image, diameter, message):
    with pytest.raises(InputError, match=message):
        register_images(image, image, diameter_px=diameter)


def test_images_without_structure_are_refused():
    rng = np.random.default_rng(8)
    for level in (0.0, 1.0):
        pair = rng.normal(100, level, (2, 128, 128))
        result = register_images(*pair, diameter_px=6)
        assert result.status == "failed"
        assert result.reason


@pytest.mark.skipif(not real_images.present(), reason="the real images are not here")
@pytest.mark.parametrize("name", real_images.SOURCES)
def test_real_images_turned_by_a_quarter_are_registered(name):
    seed = list(real_images.SOURCES).index(name)
    pair = real_images.cut(
        name, np.random.default_rng([seed, 3]), quarters=1 + seed % 3, overlap=0.7
    )
    found = register_images(pair.pre, pair.post, diameter_px=real_images.SOURCES[name].diameter_px)
    assert found.status == "ok", found.reason
    assert real_images.largest_error_px(found.matrix, pair) < real_images.RIGHT_PX
