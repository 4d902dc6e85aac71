"""The nanocrystals of a field as a pattern: registered near a start, near zero motion, or alone.

Input: nanocrystals of both epochs. Output: registrations of them, without pixels of the camera.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.registration.both_patterns import Together, decide_together
from blinkpair.registration.from_start import MAX_SHIFT_PX, refine_on_points
from blinkpair.registration.mirrored import mirrored_reason
from blinkpair.registration.near_identity import MAX_SEARCHED, STEADY, register_near_identity
from blinkpair.registration.points import register_points
from blinkpair.registration.result import Registration, in_rows


@dataclass(frozen=True)
class NanocrystalDetails:
    """What is known of the nanocrystals of a field besides their places.

    Attributes
    ----------
    errors_px
        Two (n,) standard errors per axis of the nanocrystals of either epoch; None: equal errors.
    counts
        Two (n,) mean counts of the nanocrystals of either epoch: light that changed is the
        sample's. Without them what is fixed to the camera is recognised by its place on the pixels
        only.
    start_error_px
        Standard error per axis of the drift's zero, the first frame, both epochs together.
    camera_reach_px
        Largest drifts of both movies together: what is fixed to the camera may seem to move so far.
    """

    errors_px: tuple[FloatArray, FloatArray] | None = None
    counts: tuple[FloatArray, FloatArray] | None = None
    start_error_px: float = 0.0
    camera_reach_px: float = 0.0


@dataclass(frozen=True)
class NanocrystalPattern:
    """Nanocrystals of both epochs, and the options of their registration.

    `pre`, `post` and `errors_px` are without pixels of the camera; `rows` are those that they have
    in the tables as given, as have the pairs of all registrations. `near_identity` is that of a
    sample that hardly moved.
    """

    pre: FloatArray
    post: FloatArray
    errors_px: tuple[FloatArray, FloatArray] | None
    rows: tuple[IntArray, IntArray]
    near_identity: Registration
    start_error_px: float
    max_chance_alignments: float
    options: dict[str, Any]
    light_offset_px: float = 0.0

    @classmethod
    def of(
        cls,
        pre: FloatArray,
        post: FloatArray,
        details: NanocrystalDetails,
        max_chance: float,
        options: dict[str, Any],
        light_offset_px: float,
    ) -> NanocrystalPattern:
        """Return the pattern of the nanocrystals; arguments as in `fields.register_field`."""
        found = register_near_identity(
            pre,
            post,
            errors_px=details.errors_px,
            counts=details.counts,
            camera_reach_px=details.camera_reach_px,
            max_chance_alignments=max_chance,
            **options,
        )
        here, there = found.rows
        errors = details.errors_px
        kept = None if errors is None else (errors[0][here], errors[1][there])
        own = cls(
            pre[here],
            post[there],
            kept,
            found.rows,
            found.registration,
            details.start_error_px,
            max_chance,
            options,
            light_offset_px,
        )
        if found.registration.status != "ok":
            return own
        # All nanocrystals, where the search used the most significant.
        fine = own.near(found.registration)
        return replace(own, near_identity=fine if fine.status == "ok" else found.registration)

    @property
    def strict(self) -> dict[str, Any]:
        """Options of a search with the level at which it is accepted."""
        return self.options | {"max_chance_alignments": self.max_chance_alignments}

    @property
    def reach_px(self) -> float:
        """Largest distance of the nanocrystals' transform from that of brightfield."""
        return MAX_SHIFT_PX + self.light_offset_px

    def near(self, start: Registration) -> Registration:
        """Return the registration of all nanocrystals that starts from another one."""
        fine = refine_on_points(
            start.matrix,
            self.pre,
            self.post,
            max_shift_px=self.reach_px,
            **self.strict,
            errors_px=self.errors_px,
        )
        return self.in_given_rows(with_shift(fine, self.start_error_px))

    def mirrored_reason(self, start: Registration) -> str:
        """Return the reason to refuse a registration of mirrored brightfield images, or ''."""
        return mirrored_reason(
            start.matrix,
            self.pre,
            self.post,
            max_shift_px=self.reach_px,
            max_chance_alignments=self.max_chance_alignments,
            field_shape=self.options["field_shape"],
            free_scale=self.options["model"] == "similarity",
        )

    def own_pattern(self) -> Registration:
        """Return the registration by the most significant nanocrystals, refined on all."""
        if self.near_identity.status == "ok":
            return self.near_identity
        found = register_points(self.pre[:MAX_SEARCHED], self.post[:MAX_SEARCHED], **self.strict)
        if found.status != "ok":
            still = self.near_identity.reason
            reason = f"{found.reason}; {still}" if still == STEADY else found.reason
            return replace(found, reason=reason)
        fine = self.near(found)
        if fine.status != "ok":
            return self.in_given_rows(with_shift(found, self.start_error_px))
        return replace(fine, chance_alignments=found.chance_alignments)

    def together_with(
        self,
        candidates: Sequence[Registration],
        *,
        by_rank: bool,
        images: Callable[[Registration], float] | None = None,
    ) -> Together | Registration:
        """Return what `both_patterns.decide_together` does."""
        result = decide_together(
            candidates,
            self.pre,
            self.post,
            by_rank=by_rank,
            images=images,
            max_shift_px=self.reach_px,
            **self.strict,
            errors_px=self.errors_px,
        )
        if not isinstance(result, Together):
            return result
        fine = with_shift(result.nanocrystals, self.start_error_px)
        return replace(result, nanocrystals=self.in_given_rows(fine))

    def in_given_rows(self, result: Registration) -> Registration:
        """Return the result with pairs that are rows of the tables as given."""
        return in_rows(result, self.rows)


def with_shift(result: Registration, error_px: float) -> Registration:
    """Return a registration with the error of a shift of the whole field, per axis, added."""
    model = result.error_model
    if model is None:
        return result
    variance = model.shift_variance_px2 + error_px**2
    return replace(result, error_model=replace(model, shift_variance_px2=float(variance)))
