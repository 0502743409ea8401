"""Eight-bit copies of models, calibrated on the user's own images."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskwright.errors import ImageError, ModelError
from maskwright.images.decode import read_image
from maskwright.inference.adapters.family import Adapter
from maskwright.inference.adapters.pixels import float_tensor
from maskwright.inference.files import is_half, pair_name, with_other_half
from maskwright.inference.installed import is_plain, model_path
from maskwright.inference.model import load_model, recognised
from maskwright.inference.runtime import Feeds, Network
from maskwright.models.convert import read_pair, written_pair

FEWEST_IMAGES = 10


@dataclass(frozen=True, slots=True)
class Cost:
    """The loss by quantisation on a ground truth, computed in f32: mask AP and AP50 before and after."""

    ap_before: float
    ap_after: float
    ap50_before: float
    ap50_after: float

    @property
    def change(self) -> float:
        """Change of the mask AP; negative if it became worse."""
        return self.ap_after - self.ap_before


def quantise(
    path_or_name: str | Path,
    images: Sequence[Path],
    out_dir: Path,
    *,
    name: str | None = None,
    judge: Callable[[Path], None] | None = None,
) -> Path:
    """Write NAME.xml and NAME.bin (the model's name with -int8) to `out_dir`; returns the .xml.

    images: a few hundred like those that the model will see; unreadable ones are skipped. Labels and metadata are kept.
    Of an encoder and a decoder, given by either, only the encoder is quantised, and `judge` is not called. judge: gets
    the new model before it is put in place; nothing is written if it raises. Raises ModelError if fewer than ten images
    can be read, NNCF is missing or the model cannot be quantised.
    """
    path = model_path(path_or_name)
    if is_half(path):
        return _quantised_pair(with_other_half(path), images, out_dir, name)
    network = Network(path)
    adapter = recognised(network.interface, network.path)
    stem = name or f"{network.path.stem}-int8"
    if not is_plain(stem):
        raise ModelError(f"{stem} cannot be a model's name")
    readable = _readable(images)
    network.quantise(readable, lambda path: _sample(adapter, path))
    notes = {"model_type": adapter.family, **network.interface.metadata, "precision": "int8"}
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".quantising-", dir=out_dir) as scratch:
            made = Path(scratch) / f"{stem}.xml"
            network.save(made, notes, compresses=True)
            if judge is not None:
                judge(made)
            for part in (made.with_suffix(".bin"), made):
                part.replace(out_dir / part.name)
    except OSError as error:
        raise ModelError(f"the quantised model cannot be written: {error.strerror or error}", path=out_dir) from error
    return out_dir / f"{stem}.xml"


def _quantised_pair(files: Sequence[Path], images: Sequence[Path], out_dir: Path, name: str | None) -> Path:
    """The encoder, which is nearly all of the work, in eight bits; the decoder unchanged."""
    pair = read_pair(files)
    stem = name or f"{pair_name(files[0])}-int8"
    if not is_plain(stem):
        raise ModelError(f"{stem} cannot be a model's name")
    picture = pair.layout.picture
    pair.encoder.quantise(_readable(images), lambda path: {0: picture.tensor(read_image(path).bgr_u8)})
    return written_pair(pair, out_dir, compresses=True, name=stem, notes={"precision": "int8"})


def _readable(images: Sequence[Path]) -> list[Path]:
    readable = [path for path in images if _is_readable(path)]
    if len(readable) < FEWEST_IMAGES:
        raise ModelError(f"{len(readable)} images could be read; calibration needs at least {FEWEST_IMAGES}")
    return readable


def cost(before: str | Path, after: Path, truth: Path, images: Path) -> Cost:
    """Evaluate two models on the images of a COCO file. Raises FormatError or ModelError as evaluation does."""
    from maskwright.evaluation import evaluate_model

    reports = [evaluate_model(load_model(model, precision="f32"), truth, images) for model in (before, after)]
    ap, ap50 = ([report.segm[key] for report in reports] for key in ("AP", "AP50"))
    return Cost(ap[0], ap[1], ap50[0], ap50[1])


def _is_readable(path: Path) -> bool:
    try:
        read_image(path)
    except ImageError:
        return False
    return True


def _sample(adapter: Adapter, path: Path) -> Feeds:
    feeds, wanted = adapter.feeds(read_image(path).bgr_u8), adapter.image_input
    return {key: float_tensor(value, wanted) if key == wanted.index else value for key, value in feeds.items()}
