"""One simulated field before and after annealing, with its truth.

Used by the demo, the tests and the accuracy study.

Input: a `FieldDesign` (optics, counts, motion, what annealing does) and a seed. Output: two
brightfield images, two movies, and the true position, on-time and population of every nanocrystal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.simulate.behaviour import draw_trajectories, level
from blinkpair.simulate.blinking import DwellLaw, trajectory_with_on_fraction
from blinkpair.simulate.brightfield import render_brightfield
from blinkpair.simulate.camera import film_block
from blinkpair.simulate.design import FieldDesign
from blinkpair.simulate.dirt import draw_dirt
from blinkpair.simulate.microspheres import Layout, lay_out, touching
from blinkpair.simulate.sphere_images import draw_sizes


class SimulatedField(NamedTuple):
    """What `simulate_field` returns; movies are filmed block by block by `film`.

    `truth` has a row for each nanocrystal, with a design of a `behaviour` also its types,
    exponents, trends and on levels at the end of each movie. `microspheres` has one for each
    microsphere: its centre in both brightfield images (`x_pre`, `y_pre`, `x_post`, `y_post`) and
    its diameter in them (`diameter_pre_px`, `diameter_post_px`), NaN in the one where it is not on
    the sample; whether the re-mount `moved` it; the number of its `aggregate` before the re-mount,
    -1 where it lies alone; and whether it lies at the `second_height`.
    """

    design: FieldDesign
    seed: int
    brightfield_pre: NDArray[np.uint16]
    brightfield_post: NDArray[np.uint16]
    truth: pd.DataFrame
    microspheres: pd.DataFrame
    on_time_pre: NDArray[np.float32]
    on_time_post: NDArray[np.float32]
    drift_pre: FloatArray
    drift_post: FloatArray
    matrix: FloatArray

    def expected_counts(self, epoch: str) -> FloatArray:
        """Return the counts of each nanocrystal in each frame, (n, frames), under even light."""
        on_time = self.on_time_post if epoch == "post" else self.on_time_pre
        counts = self.truth["counts_when_on"].to_numpy()[:, None] * on_time
        if self.design.behaviour is not None:
            counts *= level(self.truth[f"level_end_{epoch}"].to_numpy(), self.design.frames)
        return np.asarray(counts)

    def film(self, epoch: str, frames_per_block: int = 100) -> Iterator[NDArray[np.uint16]]:
        """Yield the movie of epoch 'pre' or 'post' in blocks of frames."""
        design = self.design
        post = epoch == "post"
        light, pixel_gain = _illumination(design, self.seed)
        xy = self.truth[[f"x_{epoch}", f"y_{epoch}"]].to_numpy()
        counts = self.expected_counts(epoch) * _sample(light, xy)[:, None]
        ends = [s[int(post)] for s in (design.psf_sigma_px, design.psf_sigma_end_px) if s]
        sigma = np.linspace(ends[0], ends[-1], design.frames)
        for first in range(0, design.frames, frames_per_block):
            yield film_block(
                design.camera,
                (design.background_counts * light * pixel_gain).astype(np.float32),
                xy,
                counts.astype(np.float32),
                self.drift_post if post else self.drift_pre,
                psf_sigma_px=sigma,
                first_frame=first,
                frames=min(frames_per_block, design.frames - first),
                seed=2 * self.seed + int(post),
            )


def rigid_matrix(
    rotation_deg: float, shift_px: tuple[float, float], shape: tuple[int, int]
) -> FloatArray:
    """Turn about the centre of the field, then shift: 3x3, acting on columns (x, y, 1).

    Examples
    --------
    >>> rigid_matrix(180, (3, 0), shape=(11, 11)) @ [0, 0, 1]
    array([13., 10.,  1.])
    """
    angle = np.deg2rad(rotation_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = (np.array(shape[::-1]) - 1) / 2
    matrix = np.eye(3)
    matrix[:2, :2] = turn
    matrix[:2, 2] = centre - turn @ centre + np.asarray(shift_px)
    return matrix


def simulate_field(design: FieldDesign, seed: int) -> SimulatedField:
    """Draw a field; everything follows from the design and the seed.

    Examples
    --------
    >>> field = simulate_field(FieldDesign(frames=10), seed=1)
    >>> field.matrix.shape, "on_fraction_pre" in field.truth
    ((3, 3), True)
    """
    rng = np.random.default_rng([seed, 1])
    shape = design.camera.shape
    matrix = rigid_matrix(design.rotation_deg, design.shift_px, shape)
    pre_xy, post_xy = _scatter_nanocrystals(rng, design, matrix)
    n = len(pre_xy)
    drift = [_random_drift(rng, design) for _ in range(2)]
    analysable = _analysable(design, pre_xy, post_xy, drift)
    population = _draw_populations(rng, design, analysable)
    if design.behaviour is None:
        truncated, on_time = _draw_on_time(rng, design, population)
        counts_when_on = rng.uniform(*design.counts_when_on, n)
        more = {"truncated": truncated}
    else:
        counts_when_on = rng.uniform(*design.counts_when_on, n)
        drawn = draw_trajectories(
            np.random.default_rng([seed, 7]),
            design,
            design.behaviour,
            population,
            analysable,
            counts_when_on,
        )
        more, on_time = drawn.columns(), drawn.on_time
    truth = pd.DataFrame(
        {
            "x_pre": pre_xy[:, 0],
            "y_pre": pre_xy[:, 1],
            "x_post": post_xy[:, 0],
            "y_post": post_xy[:, 1],
            "counts_when_on": counts_when_on,
            "on_fraction_pre": on_time[0].mean(axis=1),
            "on_fraction_post": on_time[1].mean(axis=1),
            "analysable": analysable,
        }
        | more
    )
    brightfield_pre, brightfield_post, microspheres = _brightfield_pair(rng, design, matrix, seed)
    return SimulatedField(
        design,
        seed,
        brightfield_pre,
        brightfield_post,
        truth,
        microspheres,
        on_time[0],
        on_time[1],
        drift[0],
        drift[1],
        matrix,
    )


def _apply(matrix: FloatArray, xy: FloatArray) -> FloatArray:
    return np.asarray(xy @ matrix[:2, :2].T + matrix[:2, 2])


def _area_of_both_fields(
    design: FieldDesign, matrix: FloatArray, margin: float
) -> tuple[FloatArray, FloatArray]:
    """Corners of a box, in pre-anneal pixels, that holds both fields of view."""
    height, width = design.camera.shape
    corners: FloatArray = np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64)
    both = np.vstack([corners, _apply(np.asarray(np.linalg.inv(matrix), np.float64), corners)])
    return both.min(axis=0) - margin, both.max(axis=0) + margin


def _scatter_nanocrystals(
    rng: np.random.Generator, design: FieldDesign, matrix: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Positions in both epochs, at the field's density over all that either camera sees."""
    height, width = design.camera.shape
    low, high = _area_of_both_fields(design, matrix, margin=6.0)
    density = design.n_nanocrystals / (height * width)
    wanted = rng.poisson(density * float(np.prod(high - low))) if density > 0 else 0
    xy = np.empty((0, 2))
    for _ in range(wanted):
        crowded = rng.random() < design.crowded_share
        for _attempt in range(200):
            candidate = low + rng.random(2) * (high - low)
            if crowded or len(xy) == 0:
                break
            if np.min(np.hypot(*(xy - candidate).T)) >= design.min_distance_px:
                break
        xy = np.vstack([xy, candidate])
    return xy, _apply(matrix, xy)


def _random_drift(rng: np.random.Generator, design: FieldDesign) -> FloatArray:
    """Smooth drift of the stage: a straight line with a slow swing, zero at frame 0."""
    s = np.linspace(0, 1, design.frames)
    direction = rng.uniform(0, 2 * np.pi)
    along = s * rng.uniform(0.6, 1.0) + 0.12 * (np.sin(2 * np.pi * (s + rng.random())))
    across = 0.15 * np.sin(2 * np.pi * (0.7 * s + rng.random()))
    path = np.column_stack(
        [
            along * np.cos(direction) - across * np.sin(direction),
            along * np.sin(direction) + across * np.cos(direction),
        ]
    )
    path -= path[0]
    return np.asarray(design.drift_px * path / max(np.hypot(*path.T).max(), 1e-9))


def _analysable(
    design: FieldDesign, pre_xy: FloatArray, post_xy: FloatArray, drift: list[FloatArray]
) -> BoolArray:
    """Isolated by 4.2 px, and 1.6 px inside the sensor's edge in both epochs at any drift.

    A little more than an analysis with an aperture of 3 px and a separation of 4 px needs.
    """
    from scipy.spatial import cKDTree

    good = np.ones(len(pre_xy), bool)
    height, width = design.camera.shape
    for xy, path in zip((pre_xy, post_xy), drift, strict=True):
        low, high = xy + path.min(axis=0), xy + path.max(axis=0)
        good &= (low > 1.1).all(axis=1) & (high < np.array([width, height]) - 2.1).all(axis=1)
    if len(pre_xy) > 1:
        nearest = cKDTree(pre_xy).query(pre_xy, k=2)[0][:, 1]
        good &= nearest > 4.2
    return good


def _draw_populations(
    rng: np.random.Generator, design: FieldDesign, analysable: BoolArray
) -> NDArray[np.int_]:
    population = rng.choice(4, size=len(analysable), p=np.asarray(design.populations))
    if design.analysable_counts is not None:
        candidates = rng.permutation(np.flatnonzero(analysable))
        wanted = np.repeat([0, 1, 2], design.analysable_counts)
        if len(wanted) > len(candidates):
            raise ValueError(
                f"only {len(candidates)} nanocrystals can be analysed, {len(wanted)} are wanted; "
                "raise n_nanocrystals"
            )
        population[candidates] = 3
        population[candidates[: len(wanted)]] = wanted
    return population


def _draw_on_time(
    rng: np.random.Generator, design: FieldDesign, population: NDArray[np.int_]
) -> tuple[BoolArray, list[NDArray[np.float32]]]:
    """Whose on-times are truncated, and on-time per frame in both epochs.

    On-fractions follow the population, clear of the dark cutoff.
    """
    n = len(population)
    dark = 0.06 * rng.random((n, 2)) ** 2
    emissive = rng.uniform(0.2, 0.95, (n, 2))
    # An emissive nanocrystal keeps its own level, give or take, and follows the population's mean.
    change = rng.normal(*design.change_emissive, n)
    both = population == 2
    emissive[both, 1] = np.clip(emissive[both, 0] + change[both], 0.15, 0.98)
    is_emissive = np.column_stack([np.isin(population, (1, 2)), np.isin(population, (0, 2))])
    target = np.where(is_emissive, emissive, dark)
    truncated = rng.random(n) < design.truncated_share
    duration_s = design.frames * design.camera.exposure_s
    traces = []
    for epoch in range(2):
        trace = np.empty((n, design.frames), np.float32)
        for k in range(n):
            law = DwellLaw(
                design.on_law.alpha,
                design.on_law.t_min_s,
                min(design.on_law.t_max_s, design.longest_event * duration_s),
                design.truncation_s if truncated[k] else design.on_law.tau_s,
            )
            trace[k] = trajectory_with_on_fraction(
                rng,
                float(target[k, epoch]),
                law,
                frames=design.frames,
                exposure_s=design.camera.exposure_s,
            )
        traces.append(trace)
    return truncated, traces


def _illumination(design: FieldDesign, seed: int) -> tuple[FloatArray, FloatArray]:
    """Excitation profile (a wide Gaussian, mean about 1) and the camera's own pixel gain."""
    rng = np.random.default_rng([seed, 2])
    height, width = design.camera.shape
    y, x = np.mgrid[:height, :width]
    x0, y0 = rng.uniform(0.35, 0.65, 2) * (width, height)
    radius2 = ((x - x0) / width) ** 2 + ((y - y0) / height) ** 2
    light = 1.0 + design.uneven_light * (0.5 - 2.0 * radius2)
    # Pixel gain and hot pixels belong to the camera, hence the same in every field and epoch.
    camera_rng = np.random.default_rng(20)
    pixel_gain = camera_rng.normal(1.0, design.pixel_gain_spread, (height, width))
    hot = camera_rng.integers(0, height * width, design.n_hot_pixels)
    pixel_gain.ravel()[hot] = camera_rng.uniform(2.0, 8.0, design.n_hot_pixels)
    return np.maximum(light, 0.05), np.maximum(pixel_gain, 0.05)


def _sample(image: FloatArray, xy: FloatArray) -> FloatArray:
    height, width = image.shape
    column = np.clip(np.rint(xy[:, 0]).astype(int), 0, width - 1)
    row = np.clip(np.rint(xy[:, 1]).astype(int), 0, height - 1)
    return np.asarray(image[row, column])


def _brightfield_pair(
    rng: np.random.Generator, design: FieldDesign, matrix: FloatArray, seed: int
) -> tuple[NDArray[np.uint16], NDArray[np.uint16], pd.DataFrame]:
    """Both images: spheres lost, moved and new between them, dust fixed to the camera."""
    own = np.random.default_rng([seed, 3])  # for what not every design has
    height, width = design.camera.shape
    diameter_px = design.microsphere_diameter_px
    low, high = _area_of_both_fields(design, matrix, margin=diameter_px)
    per_area = float(np.prod(high - low)) / (height * width)
    n = rng.poisson(design.n_microspheres * per_area)
    pre = low + rng.random((n, 2)) * (high - low)
    pre = touching(own, pre, design.touching_microspheres, 1.02 * diameter_px)
    post = pre.copy()
    moved = rng.random(n) < design.moved_microspheres
    post[moved] += rng.normal(0, 15.0, (int(moved.sum()), 2))
    stays = rng.random(n) >= design.lost_microspheres
    n_new = rng.poisson(design.new_microspheres * n)
    new = low + rng.random((n_new, 2)) * (high - low)
    dust = rng.random((design.n_dust, 2)) * (width, height)
    debris = low + own.random((own.poisson(design.n_debris * per_area), 2)) * (high - low)
    if design.aggregated_share or design.remount_patch_px:
        spheres = lay_out(np.random.default_rng([seed, 4]), design, n, n_new, low, high)
    else:
        both = np.vstack([pre, new]), np.vstack([post, new])
        present = np.column_stack(
            [np.arange(n + n_new) < n, np.concatenate([stays, np.ones(n_new, bool)])]
        )
        # Each image draws the diameters of what it shows.
        sizes = np.full((n + n_new, 2), np.nan)
        for epoch in range(2):
            sizes[present[:, epoch], epoch] = draw_sizes(int(present[:, epoch].sum()), seed=0)
        spheres = Layout(
            np.stack(both),
            present,
            sizes,
            np.concatenate([moved, np.zeros(n_new, bool)]),
            np.full(n + n_new, -1),
        )
    second_height = _second_height(np.random.default_rng([seed, 5]), design, spheres.aggregate)
    dirt_rng = np.random.default_rng([seed, 6])
    corner = np.array([width, height], float)
    on_camera = draw_dirt(dirt_rng, design.camera_dirt, np.zeros(2), corner)
    on_sample = draw_dirt(dirt_rng, design.sample_dirt, low, high, per_area)
    turns = (0.0, design.rotation_deg)
    images = []
    table = pd.DataFrame(np.nan, range(n + n_new), ["x_pre", "y_pre", "x_post", "y_post"])
    for epoch, to_image in enumerate((np.eye(3), matrix)):
        # The stage creeps between the brightfield image and the movie.
        settling = rng.uniform(-1, 1, 2) * design.settling_px
        offset = np.asarray(design.channel_offset_px) + settling
        there = spheres.present[:, epoch]
        places = _apply(to_image, spheres.xy[epoch, there]) + offset
        table.iloc[np.flatnonzero(there), 2 * epoch : 2 * epoch + 2] = places
        images.append(
            render_brightfield(
                design.camera.shape,
                places,
                diameter_px=diameter_px,
                defocus=design.defocus[epoch] + design.second_height_defocus * second_height[there],
                family=design.microsphere_family,
                contrast=design.microsphere_contrast,
                sizes=spheres.sizes[there, epoch],
                dust_xy=dust,
                debris_xy=_apply(to_image, debris) + offset,
                sample_rotation_deg=turns[epoch],
                dirt=[*(piece.moved(to_image, offset) for piece in on_sample), *on_camera],
                illumination=design.illumination,
                jpeg_quality=design.jpeg_quality,
                rng=rng,
            )
        )
    table["moved"] = spheres.moved
    table["aggregate"] = spheres.aggregate
    table["second_height"] = second_height
    table["diameter_pre_px"], table["diameter_post_px"] = diameter_px * spheres.sizes.T
    return images[0], images[1], table


def _second_height(
    rng: np.random.Generator, design: FieldDesign, aggregate: NDArray[np.int_]
) -> BoolArray:
    """Which microspheres lie at the second height, an aggregate as a whole."""
    alone = rng.random(len(aggregate)) < design.second_height_share
    groups = rng.random(aggregate.max(initial=-1) + 2) < design.second_height_share
    return np.asarray(np.where(aggregate < 0, alone, groups[aggregate]))
