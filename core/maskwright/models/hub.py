"""Ready-made IRs from the Hugging Face hub, through its own client (optional extra `hub`)."""

from pathlib import Path
from typing import Any

from maskwright.errors import ModelError
from maskwright.models.download import Cancel, DownloadCancelledError, Progress

_WANTED = ["*.xml", "*.bin", "*.json", "LICENSE*", "README*"]


def fetch_repository(
    repository: str, folder: Path, *, on_progress: Progress | None = None, cancel: Cancel | None = None
) -> Path:
    """Download a repository that holds one IR into `folder`; the client checks by itself and keeps whole files.

    Returns the .xml. Raises DownloadCancelledError, or ModelError where the client is not installed, the hub answers
    with an error, or there is not exactly one IR.
    """
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise ModelError(
            "models from the Hugging Face hub need its client", hint='pip install "maskwright[hub]"'
        ) from error
    bars = _bars(on_progress, cancel, folder)
    try:
        snapshot_download(repository, local_dir=folder, allow_patterns=_WANTED, tqdm_class=bars)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelError(f"hf://{repository} could not be downloaded: {reason}") from error
    networks = [path for path in sorted(folder.rglob("*.xml")) if path.with_suffix(".bin").is_file()]
    if len(networks) != 1:
        raise ModelError(f"hf://{repository} holds {len(networks)} IRs, expected one", path=folder)
    return networks[0]


def _bars(on_progress: Progress | None, cancel: Cancel | None, folder: Path) -> Any:
    """A class of progress bars for the client that draws nothing, tells the bytes and can end the work."""
    from tqdm.auto import tqdm  # the client brings it

    class Bar(tqdm):  # type: ignore[misc]  # not typed
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self._counts_bytes = options.get("unit") == "B"
            super().__init__(*arguments, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            if cancel is not None and cancel.is_set():
                raise DownloadCancelledError("cancelled", path=folder)
            if on_progress is not None and self._counts_bytes and self.total:
                on_progress(int(self.n), int(self.total))

    return Bar
