"""Eight-bit copies of models, calibrated on a person's own images."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from maskwright.errors import ImageError, ModelError
from maskwright.images.decode import read_image
from maskwright.inference.adapters.family import Adapter
from maskwright.inference.adapters.pixels import float_tensor
from maskwright.inference.model import model_path, recognised
from maskwright.inference.runtime import Feeds, Network
from maskwright.models.cards import is_plain

FEWEST_IMAGES = 10


def quantise(path_or_name: str | Path, images: Sequence[Path], out_dir: Path, *, name: str | None = None) -> Path:
    """Write NAME.xml and NAME.bin (the model's name with -int8) into `out_dir`; returns the .xml.

    images: some hundred of the kind the model will see; those that cannot be read are passed over. Labels and notes
    are kept. Raises ModelError where fewer than ten can be read, NNCF is missing or the model cannot be quantised.
    """
    network = Network(model_path(path_or_name))
    adapter = recognised(network.interface, network.path)
    stem = name or f"{network.path.stem}-int8"
    if not is_plain(stem):
        raise ModelError(f"{stem} cannot be a model's name")
    samples = [sample for path in images if (sample := _sample(adapter, path)) is not None]
    if len(samples) < FEWEST_IMAGES:
        raise ModelError(f"{len(samples)} images could be read, {FEWEST_IMAGES} are the least to calibrate on")
    network.quantise(samples)
    notes = {"model_type": adapter.family, **network.interface.metadata, "precision": "int8"}
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".quantising-", dir=out_dir) as scratch:
            made = Path(scratch) / f"{stem}.xml"
            network.save(made, notes, compresses=True)
            for part in (made.with_suffix(".bin"), made):
                part.replace(out_dir / part.name)
    except OSError as error:
        raise ModelError(f"the quantised model cannot be written: {error.strerror or error}", path=out_dir) from error
    return out_dir / f"{stem}.xml"


def _sample(adapter: Adapter, path: Path) -> Feeds | None:
    try:
        feeds = adapter.feeds(read_image(path).bgr_u8)
    except ImageError:
        return None
    wanted = adapter.image_input
    return {key: float_tensor(value, wanted) if key == wanted.index else value for key, value in feeds.items()}
