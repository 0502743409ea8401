"""Ready-made IRs from the Hugging Face hub, through its own client (optional extra `hub`)."""

from pathlib import Path

from maskwright.errors import ModelError

_WANTED = ["*.xml", "*.bin", "*.json", "LICENSE*", "README*"]


def fetch_repository(repository: str, folder: Path) -> Path:
    """Download a repository that holds one IR into `folder`; the client resumes and checks by itself.

    Returns the .xml. Raises ModelError where the client is not installed, the hub answers with an error, or there is
    not exactly one IR.
    """
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise ModelError(
            "models from the Hugging Face hub need its client", hint='pip install "maskwright[hub]"'
        ) from error
    try:
        snapshot_download(repository, local_dir=folder, allow_patterns=_WANTED)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(f"hf://{repository} could not be downloaded: {error}") from error
    networks = [path for path in sorted(folder.rglob("*.xml")) if path.with_suffix(".bin").is_file()]
    if len(networks) != 1:
        raise ModelError(f"hf://{repository} holds {len(networks)} IRs, expected one", path=folder)
    return networks[0]
