"""How colours look to eyes without one of the three kinds of cones, and how far apart two colours are."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from maskwright.document.palette import Rgb

# Machado, Oliveira, Fernandes: "A Physiologically-based Model for Simulation of Color Vision Deficiency",
# IEEE TVCG 15(6), 2009, table for severity 1.0; for linear RGB
EYES: Mapping[str, NDArray[np.float64]] = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# IEC 61966-2-1, D65
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


def seen_as_lab(colours: Sequence[Rgb], eye: str) -> NDArray[np.float64]:
    """(N, 3) CIE L*a*b* of sRGB colours as the eye sees them."""
    encoded = np.asarray(colours, np.float64) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    xyz = np.clip(linear @ EYES[eye].T, 0, 1) @ _TO_XYZ.T / _WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def ciede2000(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Sharma, Wu, Dalal: "The CIEDE2000 Color-Difference Formula", Color Research & Application 30(1), 2005."""
    (l1, a1, b1), (l2, a2, b2) = map(tuple, (first, second))
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 1.5 - 0.5 * np.sqrt(mean_c7 / (mean_c7 + 25.0**7))
    c1, c2 = np.hypot(g * a1, b1), np.hypot(g * a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, g * a1)), np.degrees(np.arctan2(b2, g * a2))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    mean_l, mean_c, mean_h = (l1 + l2) / 2, (c1 + c2) / 2, np.radians(h1 + turn / 2)
    big_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    t = (
        1
        - 0.17 * np.cos(mean_h - np.radians(30))
        + 0.24 * np.cos(2 * mean_h)
        + 0.32 * np.cos(3 * mean_h + np.radians(6))
        - 0.20 * np.cos(4 * mean_h - np.radians(63))
    )
    from_blue = (np.degrees(mean_h) % 360 - 275) / 25
    rotation = np.sin(np.radians(60 * np.exp(-(from_blue**2)))) * 2 * np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7))
    dl = (l2 - l1) / (1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2))
    dc, dh = (c2 - c1) / (1 + 0.045 * mean_c), big_h / (1 + 0.015 * mean_c * t)
    return float(np.sqrt(dl**2 + dc**2 + dh**2 - rotation * dc * dh))
