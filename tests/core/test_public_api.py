import pydoc
import re
import subprocess
import sys

import numpy as np
import pytest

import maskwright as mw


@pytest.mark.parametrize("name", mw.__all__)
def test_public_names_exist(name: str) -> None:
    assert getattr(mw, name) is not None


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = mw.nonsense


def test_mask_survives_the_way_to_polygons_and_back() -> None:
    mask = np.zeros((20, 30), bool)
    mask[3:15, 4:21] = True
    mask[6:9, 8:12] = False
    polygons = mw.mask_to_polygons(mask, min_iou=1.0)
    assert np.array_equal(mw.polygons_to_mask(polygons, (30, 20)), mask)


def test_importing_the_package_loads_nothing_heavy() -> None:
    script = (
        "import sys, maskwright; print([m for m in ('cv2', 'openvino', 'shapely', 'sqlalchemy') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {script}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == "[]"


def test_help_shows_the_public_names_each_with_its_text() -> None:
    text = pydoc.plain(pydoc.render_doc(mw))
    for name in mw.__all__:
        value = getattr(mw, name)
        if callable(value):
            assert value.__doc__, name
            assert not value.__doc__.startswith(f"{name}("), name  # what a dataclass writes where nobody has
    shown = re.findall(r"^    (?:class )?(\w+)\(.*", text[text.index("CLASSES") :], re.MULTILINE)
    classes = {name for name in shown if name != "builtins"}
    assert classes <= set(mw.__all__)
