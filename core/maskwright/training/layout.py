"""Positions of a network's anchors and prototypes, on which heads, objective and export must agree."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnchorLayout:
    """The defaults are those of the bundled nuclei model."""

    strides: tuple[int, ...] = (4, 8, 16)
    """Input pixels per anchor cell of each level, finest first."""
    wave_periods_px: tuple[float, ...] = (24.0, 64.0, 160.0)
    """Periods of the fixed prototypes, in input pixels."""
    prototype_stride: int = 2
    """Input pixels per prototype pixel; the outline is learned at the same resolution."""

    @property
    def fixed_prototypes(self) -> int:
        """Number of fixed prototypes: cos and sin along x and y for each period, and a constant for the bias."""
        return 4 * len(self.wave_periods_px) + 1


NUCLEI_LAYOUT = AnchorLayout()
