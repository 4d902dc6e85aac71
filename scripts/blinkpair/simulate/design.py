"""What a simulated field of view holds and how it is filmed, as settings.

Input: none. Output: `FieldDesign`, which `simulate_field` draws.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from blinkpair.simulate.blinking import DwellLaw
from blinkpair.simulate.brightfield import Illumination
from blinkpair.simulate.camera import Camera
from blinkpair.simulate.dirt import Dirt
from blinkpair.simulate.sphere_images import Family


@dataclass(frozen=True)
class Behaviour:
    """What the nanocrystals of a field do, beyond their populations.

    Attributes
    ----------
    type_a : tuple of int
        Numbers of nanocrystals of type A (truncated on-times) among those that can be analysed:
        before and after annealing; before and type B after; before and dark after.
    type_a_gain : float
        By how much more the on-fraction of type A changes than that of type B, on average, among
        those emissive in both epochs.
    type_a_on_fraction : tuple of float
        Least and largest on-fraction of type A before annealing.
    off_s : tuple of float
        Median and standard deviation of the logarithm of the mean off-time of type B. With it and
        its on-fraction the exponent of a nanocrystal is given: who is off more has a larger one.
    off_t_min_s : float
        Shortest off-time: shorter ones, between two frames, would join on events.
    alpha_bounds : tuple of float
        Least and largest exponent of type B.
    fading, brightening : tuple of float
        Shares of the emissive nanocrystals, before and after annealing: whose off events become
        longer during the movie; whose on level rises.
    fading_share : float
        By which share of its start the on-fraction of the former falls within the movie.
    fading_level : float
        Their on level at the end, relative to the start.
    rise : tuple of float
        Least and largest rise of the on level of the latter.
    pl_kept : tuple of float or None
        Share of the field's photoluminescence that is left at the end of the movie, before and
        after; where given, as many fade as it takes, instead of `fading`, and the on levels of the
        others change by up to `MOST_LEVEL_CHANGE`, so that the share is met.
    reference_s : float
        Length of the start and the end of the movie that `pl_kept` compares.
    """

    type_a: tuple[int, int, int, int] = (0, 0, 0, 0)
    type_a_gain: float = 0.2
    type_a_on_fraction: tuple[float, float] = (0.15, 0.5)
    off_s: tuple[float, float] = (0.2, 0.3)
    off_t_min_s: float = 0.02
    alpha_bounds: tuple[float, float] = (1.3, 2.4)
    fading: tuple[float, float] = (0.075, 0.075)
    brightening: tuple[float, float] = (0.083, 0.083)
    fading_share: float = 0.85
    fading_level: float = 1.0
    rise: tuple[float, float] = (0.25, 0.6)
    pl_kept: tuple[float | None, float | None] = (None, None)
    reference_s: float = 10.0


@dataclass(frozen=True)
class FieldDesign:
    """What is on the sample and how it is filmed.

    The transform from the first to the second epoch turns by `rotation_deg` about the centre of
    the field and then shifts by `shift_px`. `channel_offset_px` is where brightfield sees a point
    that PL sees at zero; it belongs to the microscope and is the same in both epochs.
    `populations` are the chances of became_emissive, became_dark, emissive and dark;
    `analysable_counts`, where given, sets the exact numbers of the first three among the
    nanocrystals that can be analysed (isolated and in view in both epochs), the rest being dark.

    What the last group of settings adds to the brightfield images is off by default, and has random
    numbers of its own: nothing else of a field changes with it but the noise of these images, and
    with the noise the creep of the stage before the second one.
    """

    camera: Camera = field(default_factory=Camera)
    frames: int = 2000
    n_nanocrystals: int = 220
    n_microspheres: int = 25
    rotation_deg: float = 37.0
    shift_px: tuple[float, float] = (20.0, -35.0)
    channel_offset_px: tuple[float, float] = (1.2, -0.7)
    drift_px: float = 3.0
    settling_px: float = 1.0
    psf_sigma_px: tuple[float, float] = (0.8, 0.9)
    psf_sigma_end_px: tuple[float, float] | None = None  # at the last frame; default: the same
    background_counts: float = 15.0
    counts_when_on: tuple[float, float] = (250.0, 900.0)
    populations: tuple[float, float, float, float] = (0.15, 0.25, 0.55, 0.05)
    analysable_counts: tuple[int, int, int] | None = None
    change_emissive: tuple[float, float] = (0.0, 0.18)  # mean and spread of on-fraction's change
    on_law: DwellLaw = field(default_factory=DwellLaw)
    # Types by number, exponents and trends; default: `truncated_share`, one exponent, no trend.
    behaviour: Behaviour | None = None
    truncated_share: float = 0.1
    truncation_s: float = 0.22
    longest_event: float = 0.1  # of the movie: the bound that keeps on-fractions near the wanted
    min_distance_px: float = 6.0
    crowded_share: float = 0.03
    uneven_light: float = 0.3
    pixel_gain_spread: float = 0.01
    n_hot_pixels: int = 5
    microsphere_diameter_px: float = 6.25
    defocus: tuple[float, float] = (1.0, 0.8)
    lost_microspheres: float = 0.1
    moved_microspheres: float = 0.05
    new_microspheres: float = 0.1
    touching_microspheres: float = 0.0  # share in touching pairs and triplets, which may overlap
    microsphere_family: Family = "diffraction"
    microsphere_contrast: float | None = None  # peak, relative to the light; default: as it comes
    n_dust: int = 5
    n_debris: int = 0

    # The light of both brightfield images, fixed to the camera while the sample turns.
    illumination: Illumination = field(default_factory=Illumination)
    # Share of the microspheres that lie in aggregates, in touch and without overlap; chances that
    # an aggregate is a pair, a chain or a sheet; fewest and most microspheres of a chain or sheet.
    # `touching_microspheres` has no effect beside aggregates or patches.
    aggregated_share: float = 0.0
    aggregate_kinds: tuple[float, float, float] = (0.5, 0.25, 0.25)
    aggregate_sizes: tuple[int, int] = (3, 12)
    # Share of the microspheres at another height (an aggregate lies at one), and the focus there
    # relative to `defocus`, in diameters.
    second_height_share: float = 0.0
    second_height_defocus: float = -1.5
    # Radius (pixels) of the patches in which the re-mount removes microspheres, and in which it
    # moves them as one piece; 0: each on its own.
    remount_patch_px: float = 0.0
    sample_dirt: Dirt = field(default_factory=Dirt)  # turns along with the sample
    camera_dirt: Dirt = field(default_factory=Dirt)  # is the same in both images
    jpeg_quality: int | None = None  # 1 to 95, both images; default: lossless
