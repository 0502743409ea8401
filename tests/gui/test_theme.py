"""Text can be read in both themes: contrast as WCAG 2.2 defines it (1.4.3: 4.5:1 for text, 1.4.11: 3:1 for marks)."""

import pytest

from maskwright_gui.theme import DARK, LIGHT, Theme

TEXTS = [(name, ground) for name in ("text", "muted") for ground in ("window", "panel", "raised", "selection")]
TONES = [(name, ground) for name in ("danger", "warning") for ground in ("window", "panel", "raised")]


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(theme: Theme, name: str, ground: str) -> float:
    dark, light = sorted(luminance(getattr(theme, one)) for one in (name, ground))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("name", "ground"), [*TEXTS, *TONES, ("on_accent", "accent")])
def test_text_can_be_read(theme: Theme, name: str, ground: str) -> None:
    assert contrast(theme, name, ground) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["window", "panel", "raised", "selection"])
def test_marks_can_be_seen(theme: Theme, ground: str) -> None:
    assert contrast(theme, "accent", ground) >= 3.0
