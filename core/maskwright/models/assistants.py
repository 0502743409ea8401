"""Networks that come as encoder and decoder, to two OpenVINO IRs that lie and load together."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from maskwright._version import __version__
from maskwright.assist.sam.recognising import SamPair, sam_pair
from maskwright.errors import ModelError
from maskwright.inference.halves import DECODER, ENCODER
from maskwright.inference.runtime import Network
from maskwright.models.convert import Converted, Precision, file_kind


def converted_pair(
    paths: Sequence[Path],
    out_dir: Path,
    *,
    precision: Precision = "f16",
    name: str,
    check: Callable[[], None] | None = None,
) -> Converted:
    """Write NAME-encoder and NAME-decoder, .xml and .bin, into `out_dir` (made if missing); the encoder's is returned.

    paths: in any order. All files appear or, where it is interrupted, an encoder without its decoder does not. Raises
    ModelError where they are no pair that fits together, and for a folder that cannot be written; `check` as `convert`.
    """
    kind = file_kind(paths[0])
    pair = read_pair(paths)
    made = written_pair(pair, out_dir, compresses=precision == "f16", name=name, check=check)
    return Converted(made, pair.layout.family, kind)


def written_pair(
    pair: SamPair,
    out_dir: Path,
    *,
    compresses: bool,
    name: str,
    notes: Mapping[str, str] | None = None,
    check: Callable[[], None] | None = None,
) -> Path:
    """Both networks as IRs in `out_dir`; returns the encoder's .xml, which is put in place last."""
    own = {"model_type": pair.layout.family, "model_name": name, "converter": f"maskwright {__version__}"}
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".converting-", dir=out_dir) as scratch:
            for half, network in ((DECODER, pair.decoder), (ENCODER, pair.encoder)):
                made = Path(scratch) / f"{name}-{half}.xml"
                network.save(made, own | {"half": half} | dict(notes or {}), compresses=compresses)
            if check is not None:
                check()
            for half in (DECODER, ENCODER):
                for suffix in (".bin", ".xml"):
                    part = Path(scratch) / f"{name}-{half}{suffix}"
                    part.replace(out_dir / part.name)
    except OSError as error:
        raise ModelError(f"the converted model cannot be written: {error.strerror}", path=out_dir) from error
    return out_dir / f"{name}-{ENCODER}.xml"


def read_pair(paths: Sequence[Path]) -> SamPair:
    """Raises ModelError where they are no encoder and decoder, or one is missing."""
    pair = sam_pair([Network(path) for path in paths])
    if pair is None:
        raise ModelError("no encoder and decoder of a known kind", path=paths[0])
    return pair
