"""Installs a trained model, completely or not at all, with a card that says where it comes from."""

import json
import re
import shutil
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from maskwright.errors import ModelError
from maskwright.formats.atomic import write_error
from maskwright.inference.installed import Installed, installed_model, models_folder, record
from maskwright.learning.rounds import RoundRecord, model_name
from maskwright.models.catalog import BUNDLED_CARD, listed_models
from maskwright.project.whole_files import make_folder, sync_file, sync_folder

SOURCE = "learned from a project"


def require_free_name(name: str, rounds: Sequence[RoundRecord]) -> None:
    """Raises ModelError if another model has that name; one that came from `rounds` may be replaced."""
    if not any(model.name == name for model in listed_models()):
        return
    present = installed_model(name)
    own = {record.model_hash for record in rounds if record.is_installed and record.model == name}
    if present is None or present.content_hash not in own:
        raise ModelError(f"a model called {name} already exists", hint="choose another name with --to")


def free_name(project: str, number: int, taken: Collection[str]) -> str:
    """The project's name and the round's number; with an added letter if another project has taken that name."""
    name = model_name(project, number)
    candidates = (name, *(f"{name}{chr(letter)}" for letter in range(ord("b"), ord("z") + 1)))
    return next((one for one in candidates if one not in taken), name)


def install_learned(model: Path, card: str, *, name: str, project: str) -> Installed:
    """Copy `model` (.xml with .bin) into the folder of installed models.

    On return it has reached the disk, so it survives a power cut. Raises FormatError for a full disk or a folder that
    cannot be written; what was there before stays.
    """
    home = models_folder()
    target = home / name
    try:
        make_folder(home)
        with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=home) as place:
            draft = Path(place) / name
            draft.mkdir()
            for suffix in (".xml", ".bin"):
                shutil.copyfile(model.with_suffix(suffix), draft / f"{name}{suffix}")
            (draft / BUNDLED_CARD).write_text(card, "utf-8")
            _sync(draft)
            installed = _exchanged(draft, target, Path(place) / "before", source=f"{SOURCE}: {project}")
            _sync(target)
            sync_folder(home)
            _remove_left(home, name, but=Path(place))
        # the draft must be gone for good before the round is recorded, because the next one has another name
        sync_folder(home)
        return installed
    except OSError as error:
        raise write_error(error, target) from error


def _sync(folder: Path) -> None:
    for file in folder.iterdir():
        sync_file(file)
    sync_folder(folder)


def _remove_left(home: Path, name: str, *, but: Path) -> None:
    """Delete this round's drafts left by programs that ended while installing; their names may have an added letter."""
    of_round = re.fullmatch(r"(.+-round-\d+)[b-z]?", name)
    first = re.escape(of_round[1] if of_round else name)
    draft = re.compile(rf"\.{first}{'[b-z]?' if of_round else ''}\.[^.]+")
    for left in home.iterdir():
        if left != but and draft.fullmatch(left.name):
            shutil.rmtree(left, ignore_errors=True)


def _exchanged(draft: Path, target: Path, before: Path, *, source: str) -> Installed:
    """Replace `target` by `draft`, and restore `target` if that fails."""
    if target.exists():
        target.rename(before)
    try:
        draft.rename(target)
        return record(target.name, family="yolact", file=target / f"{target.name}.xml", source=source)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        if before.exists():
            before.rename(target)
        raise


def card_text(record: RoundRecord, project: str) -> str:
    """A model card as TOML."""
    figures, images = record.figures, len(record.training)
    lines = [
        f"title = {_text(f'{record.model}: learned from {images} images of {project}')}",
        'family = "yolact"',
        'license = "that of the images it learned from; its trunk: Apache-2.0"',
        f"source = {_text(f'{SOURCE}: {project}')}",
        f"description = {_text(f'Learned from {record.objects} objects on {images} images; base {record.base}.')}",
        f"classes = [{', '.join(map(_text, record.classes))}]",
        "",
        "[learned]",
        f"at = {_text(record.at)}",
        f"base = {_text(record.base)}",
        f"images = {images}",
        f"objects = {record.objects}",
        f"held_out_images = {len(record.held_out)}",
        f"seconds = {record.seconds:.0f}",
        f"steps = {record.steps}",
    ]
    if figures is not None:
        lines += ["", "[metrics]"]
        lines += [f"{key} = {getattr(figures, key):.4f}" for key in ("ap", "ap50", "f1", "precision", "recall")]
        lines += [f"score = {figures.score:.3f}"]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes are among TOML's."""
    return json.dumps(value, ensure_ascii=False)
