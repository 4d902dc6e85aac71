"""The experiment of the paper (Wang et al. 2024) as simulated fields: its numbers are the truth.

Where the paper gives no number the choice is ours, and stands here with its reason.

Input: frames and size of the movies, number of fields. Output: designs for `simulate_field`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from blinkpair.labels import CONTROL
from blinkpair.simulate.blinking import DwellLaw
from blinkpair.simulate.brightfield import Illumination
from blinkpair.simulate.camera import Camera
from blinkpair.simulate.design import Behaviour, FieldDesign
from blinkpair.simulate.dirt import Dirt


@dataclass(frozen=True)
class Annealing:
    """What the paper reports of one annealing temperature.

    Attributes
    ----------
    counts : tuple of int
        Nanocrystals that became emissive, became dark and were emissive in both epochs.
    mean_delta : float
        Mean change in on-fraction.
    pl_kept : float
        Share of the integrated photoluminescence left after 400 s of light.
    type_a : tuple of int
        Type A before; type A after; of the first, type B after and dark after. The paper gives the
        first three at 100 degrees C; elsewhere about the same shares.
    rotation_deg : float
        Of the first field's re-mount; ours.
    """

    counts: tuple[int, int, int]
    mean_delta: float
    pl_kept: float
    type_a: tuple[int, int, int, int]
    rotation_deg: float


PAPER = {
    "70": Annealing((34, 75, 205), -0.06, 1.0, (28, 19, 14, 2), 12.0),
    "100": Annealing((70, 75, 244), 0.01, 0.85, (33, 25, 20, 2), -97.0),
    "120": Annealing((33, 226, 82), -0.33, 0.5, (31, 9, 6, 21), 171.0),
}
# A control is ours: fields of its own, re-mounted without annealing, in which hardly anything
# changes.
CONTROL_POPULATIONS = (0.01, 0.02, 0.92, 0.05)
CONTROL_CHANGE = (0.0, 0.08)
# Means of what `behaviour` draws for emissive and for dark nanocrystals.
MEAN_EMISSIVE, MEAN_DARK = 0.55, 0.02
CHANGE_SPREAD = 0.18
FADING_LEVEL = 0.5
# Bounds of all on-times, and the exponent of type A: small, so that it is not off for less than a
# frame at a time.
ON_LAW = DwellLaw(alpha=1.2, t_max_s=400.0)
# Corners turn out of view and some nanocrystals are crowded: that many are needed.
SPARE = 1.6


def paper_designs(
    fields: Mapping[str, int],
    *,
    frames: int = 20_000,
    size_px: int = 512,
    control_nanocrystals: int = 200,
    off_s: tuple[float, float] = Behaviour.off_s,
) -> dict[str, tuple[str, FieldDesign, int]]:
    """Return field name -> (temperature, design, seed).

    Parameters
    ----------
    fields : mapping
        Temperature ('70', '100', '120', 'control') -> number of fields, over which the paper's
        nanocrystals are spread.
    frames : int
    size_px : int
        Width and height of a frame.
    control_nanocrystals : int
        In one field of the control.
    off_s : tuple of float
        See `Behaviour`.

    Examples
    --------
    >>> [name for name in paper_designs({"100": 2, "control": 1}, frames=20)]
    ['100C_1', '100C_2', 'control_1']
    """
    base = FieldDesign(
        camera=Camera(shape=(size_px, size_px)),
        frames=frames,
        # As many as fit into a small frame without hiding each other.
        n_microspheres=min(25, round(25 * (size_px / 384) ** 2)),
        drift_px=2.0,
        min_distance_px=6.5,
        # As real samples look. Light from one side is kept mild, so that the spheres stay round
        # enough for centres without an offset in common.
        defocus=(0.5, 0.4),
        microsphere_contrast=0.6,
        illumination=Illumination(one_sided=0.4, one_sided_angle_deg=140.0),
        aggregated_share=1 / 3,
        sample_dirt=Dirt(fibres=3, flakes=2),
        on_law=ON_LAW,
        longest_event=1.0,
    )
    behaviour = Behaviour(off_s=off_s)
    designs: dict[str, tuple[str, FieldDesign, int]] = {}
    for t, (temperature, n_fields) in enumerate(fields.items()):
        for k in range(n_fields):
            seed = 100 + 20 * t + k
            shift_px = (9.0 - 8.0 * t + 5.0 * k, -14.0 + 7.0 * t - 3.0 * k)
            if temperature == CONTROL:
                n = control_nanocrystals
                # As many type A as before annealing elsewhere, the same ones in both epochs.
                n_a = round(0.1 * n / SPARE)
                design = replace(
                    base,
                    n_nanocrystals=n,
                    rotation_deg=-8.0 + 50.0 * k,
                    populations=CONTROL_POPULATIONS,
                    change_emissive=CONTROL_CHANGE,
                    behaviour=replace(behaviour, type_a=(n_a, n_a, 0, 0), type_a_gain=0.0),
                    shift_px=shift_px,
                )
                designs[f"{CONTROL}_{k + 1}"] = (CONTROL, design, seed)
                continue
            annealing = PAPER[temperature]
            emissive, dark, both = _share_of(annealing.counts, n_fields, k)
            before, after, to_b, to_dark = _share_of(annealing.type_a, n_fields, k)
            design = replace(
                base,
                n_nanocrystals=int(SPARE * (emissive + dark + both)),
                rotation_deg=annealing.rotation_deg + 45.0 * k,
                analysable_counts=(emissive, dark, both),
                change_emissive=(_mean_change(annealing), CHANGE_SPREAD),
                behaviour=replace(
                    behaviour,
                    type_a=(before, after, to_b, to_dark),
                    pl_kept=(None, annealing.pl_kept),
                    # With longer off events alone no field loses half of its light.
                    fading_level=FADING_LEVEL if annealing.pl_kept < 0.7 else 1.0,
                ),
                shift_px=shift_px,
            )
            designs[f"{temperature}C_{k + 1}"] = (temperature, design, seed)
    return designs


def _share_of(numbers: tuple[int, ...], n_fields: int, k: int) -> tuple[int, ...]:
    """Split numbers over fields as evenly as whole numbers allow, and return those of field k."""
    return tuple((k + 1) * n // n_fields - k * n // n_fields for n in numbers)


def _mean_change(annealing: Annealing) -> float:
    """Mean change of those emissive in both epochs that gives the mean over all."""
    emissive, dark, both = annealing.counts
    rest = (emissive - dark) * (MEAN_EMISSIVE - MEAN_DARK)
    return (sum(annealing.counts) * annealing.mean_delta - rest) / both
