"""The twelve scenes of the sample project: a table, nothing else."""

from dataclasses import dataclass

from maskwright.samples.render import Renderer, fluorescence, phase_contrast, stained
from maskwright.samples.shapes import ShapeSettings


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture to be made: its name, size, seed, nuclei and optics."""

    name: str
    size_wh: tuple[int, int]
    seed: int
    shapes: ShapeSettings
    render: Renderer


_PINK, _ROSE, _LILAC = (214, 186, 232), (196, 170, 224), (226, 206, 228)
_VIOLET, _INDIGO = (128, 52, 92), (118, 66, 70)

SCENES: tuple[Scene, ...] = (
    Scene("01-culture-dapi", (512, 512), 11, ShapeSettings(46, (15, 25)), fluorescence()),
    Scene(
        "02-tissue-stained",
        (512, 400),
        12,
        ShapeSettings(58, (10, 17), 0.5, 0.08, 0.05),
        stained(ground=_PINK, nucleus=_VIOLET),
    ),
    Scene("03-dense-colony", (512, 512), 13, ShapeSettings(150, (10, 16), 0.3, 0.05, 0.06, 5), fluorescence(haze=0.10)),
    Scene("04-phase-contrast", (520, 400), 14, ShapeSettings(26, (18, 28), 0.4, 0.05), phase_contrast()),
    Scene("05-small-and-many", (448, 448), 15, ShapeSettings(170, (5, 9), 0.3, 0.05), fluorescence(noise=0.03)),
    Scene("06-dim-field", (400, 320), 16, ShapeSettings(24, (13, 20)), fluorescence(gain=0.16, haze=0.05, noise=0.012)),
    Scene("07-blue-channel", (640, 480), 17, ShapeSettings(40, (20, 34), 0.4), fluorescence(tint=(1.0, 0.32, 0.22))),
    Scene(
        "08-lymph-stained",
        (420, 420),
        18,
        ShapeSettings(120, (9, 13), 0.25, 0.07, 0.02),
        stained(ground=_LILAC, nucleus=_INDIGO),
    ),
    Scene("09-large-nuclei", (512, 448), 19, ShapeSettings(24, (25, 38), 0.35, 0.07), fluorescence(haze=0.14)),
    Scene(
        "10-overlapping-pairs",
        (448, 360),
        20,
        ShapeSettings(48, (15, 22), 0.45, 0.06, 0.16, 7),
        fluorescence(gain=0.85),
    ),
    Scene(
        "11-sparse-glands",
        (560, 420),
        21,
        ShapeSettings(34, (12, 22), 0.6, 0.10),
        stained(ground=_ROSE, nucleus=_VIOLET),
    ),
    Scene(
        "12-mixed-sizes",
        (600, 450),
        22,
        ShapeSettings(64, (7, 32), 0.4, 0.07),
        fluorescence(tint=(0.45, 1.0, 0.40), noise=0.025),
    ),
)
