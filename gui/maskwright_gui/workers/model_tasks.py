"""What the models dialog does beside the GUI thread; each task's result is the sentence to show."""

from pathlib import Path

from PySide6.QtCore import QObject

from maskwright.models.catalog import Listed, verify
from maskwright.monitor import Monitor
from maskwright_gui.operation import Operation


def get_task(name: str, parent: QObject) -> Operation:
    """Download, check and convert a model of the catalogue."""

    def work(progress: Monitor) -> str:
        from maskwright.models.install import get_model  # the network client is imported when it is first needed

        def report(done: int, size: int) -> None:
            if done < size:
                progress.report(done, size, f"{name}: {done / 1e6:.0f} of {size / 1e6:.0f} MB")
            else:
                progress.report(0, None, f"{name}: checking and converting")

        get_model(name, on_progress=report)
        return f"{name} is ready."

    return Operation(work, parent)


def add_task(path: Path, parent: QObject) -> Operation:
    """Convert and install a file."""

    def work(progress: Monitor) -> str:
        from maskwright.models.install import add_file

        progress.check()
        model = add_file(path, check=progress.check)
        return f"{model.name} is ready, family {model.family}."

    return Operation(work, parent)


def verify_task(model: Listed, parent: QObject) -> Operation:
    """Compare an installed model's files with what was installed."""

    def work(progress: Monitor) -> str:
        progress.check()
        if model.installed is not None:
            verify(model.installed)
        return f"{model.name} is what was installed."

    return Operation(work, parent)
