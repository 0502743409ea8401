"""Who may import whom: core never Qt, no package in a circle, the window no reader or writer of files."""

import ast
import re
import subprocess
import sys
from pathlib import Path

CORE = Path(__file__).resolve().parents[1] / "core"

SCRIPT = """
import importlib, pkgutil, sys
for name in ("PySide6", "shiboken6", "maskwright_gui"):
    sys.modules[name] = None
import maskwright
optional = {"torch"}
for info in pkgutil.walk_packages(maskwright.__path__, "maskwright.", onerror=lambda name: None):
    if info.name.endswith("__main__") or info.name.startswith("maskwright.project.migrations."):
        continue
    try:
        importlib.import_module(info.name)
    except ModuleNotFoundError as error:
        if error.name not in optional:
            raise
print("ok")
"""


def test_core_imports_without_qt() -> None:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={"PYTHONPATH": f"{CORE}:{CORE.parent / 'resources'}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.strip() == "ok", result.stderr


def test_packages_do_not_depend_on_each_other_in_a_circle() -> None:
    for root, package in ((CORE, "maskwright"), (CORE.parent / "gui", "maskwright_gui")):
        assert circles(dependencies(root, package)) == []


GOES_ROUND = re.compile(
    r"maskwright\.(formats\.(coco\.(reader|stream|writer|verify)|package|splits|[a-z_]*(voc|yolo|cvat|labelme)[a-z_]*)"
    r"|project\.(scan|result|bulk|snapshot|relocate)|evaluation|training)\b"
)


def test_the_window_asks_operations_for_what_a_script_may_ask_for() -> None:
    files = {path: imported(path) for path in (CORE.parent / "gui").rglob("*.py")}
    own_roads = {str(path): name for path, names in files.items() for name in names if GOES_ROUND.match(name)}
    assert own_roads == {}


def test_the_windows_thread_reads_a_project_only_with_a_deadline() -> None:
    """`project.stored.images...()` would hang with the project's disk; `project.ask` does not."""
    window = CORE.parent / "gui" / "maskwright_gui"
    allowed = {window / "open_project.py", window / "link.py"}

    found = [
        path.name
        for path in window.rglob("*.py")
        if path not in allowed and re.search(r"\.stored\.[\w.]+\(", path.read_text("utf-8"))
    ]

    assert not found


def dependencies(root: Path, package: str) -> dict[str, set[str]]:
    """{sub-package or module directly in the package: those that it imports, also within functions}"""
    found: dict[str, set[str]] = {}
    for path in (root / package).rglob("*.py"):
        unit = path.relative_to(root / package).parts[0].removesuffix(".py")
        names = {name.split(".")[1] for name in imported(path) if name.startswith(f"{package}.")}
        units = {
            name for name in names if (root / package / name).is_dir() or (root / package / f"{name}.py").is_file()
        }
        if unit != "__init__":  # its names are those of the parts, loaded when they are asked for
            found.setdefault(unit, set()).update(units - {unit})
    return found


def imported(path: Path) -> set[str]:
    """Names of what a file imports when it runs; what only a type checker sees does not count."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def circles(graph: dict[str, set[str]]) -> list[str]:
    """What can be reached from itself."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(graph.get(start, ()))
        while waiting:
            if (unit := waiting.pop()) not in seen:
                seen.add(unit)
                waiting += graph.get(unit, ())
        return seen

    return sorted(unit for unit in graph if unit in reached(unit))


def test_a_circle_would_be_seen() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a", "b", "c"]
