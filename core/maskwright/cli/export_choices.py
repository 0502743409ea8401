"""Which options of `maskwright export` go together; a pair that contradicts itself is refused, not half obeyed."""

from pathlib import Path
from typing import Any

import typer

from maskwright.formats.coco.profiles import PROFILES, Profile, profile_named
from maskwright.formats.package import require_suffix
from maskwright.formats.registry import Format, format_named

_COCO = ("coco", "coco-folder")


def chosen_format(profile: str, format_name: str | None) -> tuple[Profile, Format]:
    """The reader's format where none is asked for. Raises BadParameter where the reader reads another one."""
    reader = profile_named(profile)
    if format_name is None:
        return reader, format_named(reader.format_name)
    kind = format_named(format_name)
    fits = kind.name == reader.format_name or {kind.name, reader.format_name} <= set(_COCO)
    if reader.name != "generic" and not fits and not kind.name.startswith(reader.format_name):
        wanted = format_named(reader.format_name).title
        raise typer.BadParameter(f"{reader.title} reads {wanted}, not {kind.title}; leave out --profile or --format")
    return reader, kind


def require_fitting(reader: Profile, kind: Format, given: dict[str, Any]) -> None:
    """`given`: options by name, None or False where they were left out. Raises BadParameter, naming the pair."""
    used = {name for name, value in given.items() if value not in (None, False)}
    for name in sorted(used & {"masks", "holes", "provenance"}):
        if kind.name not in _COCO:
            raise typer.BadParameter(f"--{name} is for COCO files, not for {kind.title}")
        fixed = {"masks": reader.changes.get("masks"), "holes": reader.changes.get("holes")}.get(name)
        if fixed is not None and fixed != given[name]:
            raise typer.BadParameter(f"--profile {reader.name} stands for --{name} {fixed}, not {given[name]}")
    if given["masks"] == "polygons" and "rle" in (given["holes"], reader.changes.get("holes")):
        source = "--holes rle" if given["holes"] else f"--profile {reader.name}, which writes holes so"
        raise typer.BadParameter(f"--masks polygons has no run lengths; leave out {source}")
    if "detections" in used and (others := used & {"split", "images", "format", "masks", "holes", "provenance"}):
        raise typer.BadParameter(f"--detections is one results list; leave out --{sorted(others)[0]}")
    if "by_class" in used and "split" not in used:
        raise typer.BadParameter("--by-class is for --split")


def require_place(out: Path, kind: Format, *, is_split: bool) -> None:
    """Raises BadParameter or FormatError where the name of the place says that it is something else."""
    if is_split and out.suffix.lower() in (".json", ".xml", ".zip"):
        raise typer.BadParameter(f"--split writes a folder, and {out.name} is the name of a file")
    if not is_split:
        require_suffix(out, kind)


def profiles_help() -> str:
    """One line per reader: what its profile stands for."""
    return "; ".join(f"{profile.name}: {_says(profile)}" for profile in PROFILES)


def _says(profile: Profile) -> str:
    if profile.format_name != "coco":
        return format_named(profile.format_name).title
    changes = [f"{name} {value}" for name, value in profile.changes.items() if name in ("masks", "holes")]
    return ", ".join(changes) or "as it is"
