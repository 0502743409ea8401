"""The house in figures: files, lines, files with one importer, functions, signals.

    python tests/benchmarks/house.py [CHECKOUT] [--list]

`--list` names each file with one importer and the size that the two would have as one.
"""

import argparse
import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

ROOTS = ("core", "gui", "resources")
SPOKEN_OF_ELSEWHERE = re.compile(r"(__init__|__main__|env|v\d+_\w+)$")
"""Files that Python or Alembic find by their name."""
BY_LIST = re.compile(r"maskwright_gui\.app|maskwright\.(cli(\.app)?|formats\.registry|inference\.adapters)$")
"""What they list has one importer by design: to add one is a file and a line."""


@dataclass(frozen=True, slots=True)
class Module:
    """A Python file of the product."""

    name: str
    path: Path
    lines: int
    tree: ast.Module


def main() -> None:
    """Print the table, or the list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", nargs="?", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--list", action="store_true")
    asked = parser.parse_args()
    modules = {module.name: module for module in read(asked.checkout)}
    importers = importers_of(modules)
    lonely = {name: next(iter(who)) for name, who in importers.items() if len(who) == 1 and is_counted(name)}
    if asked.list:
        for name, who in sorted(lonely.items()):
            own, its = modules[name].lines, modules[who].lines
            print(f"{own:4} + {its:4} = {own + its:4}  {name}  <- {who}")
        return
    for what, figure in figures(modules, lonely):
        print(f"{what:58} {figure}")


def read(checkout: Path) -> Iterator[Module]:
    """Every Python file below the source roots."""
    for root in ROOTS:
        for path in sorted((checkout / root).rglob("*.py")):
            text = path.read_text("utf-8")
            name = ".".join(path.relative_to(checkout / root).with_suffix("").parts)
            yield Module(name.removesuffix(".__init__"), path, text.count("\n"), ast.parse(text))


def is_counted(name: str) -> bool:
    """Whether a file could belong to another at all."""
    return not SPOKEN_OF_ELSEWHERE.search(name)


def importers_of(modules: dict[str, Module]) -> dict[str, set[str]]:
    """{module: the modules that import it}, whether it is named itself or something in it."""
    found: dict[str, set[str]] = {name: set() for name in modules}
    for module in modules.values():
        for name in imported(module.tree):
            known = name if name in modules else name.rpartition(".")[0]
            if known in modules and known != module.name:
                found[known].add(module.name)
    return found


def imported(tree: ast.Module) -> Iterator[str]:
    """Full names, of modules or of what is in them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def figures(modules: dict[str, Module], lonely: dict[str, str]) -> Iterator[tuple[str, str]]:
    """(what, figure) for each row."""
    lines = [module.lines for module in modules.values()]
    filled = [count for count in lines if count > 1]
    functions = sorted(
        (node.end_lineno or node.lineno) - node.lineno + 1
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    gui = [node for name, each in modules.items() if name.startswith("maskwright_gui") for node in ast.walk(each.tree)]
    yield "files", str(len(lines))
    yield "lines", f"{sum(lines):,}"
    yield "lines per file: mean, median of those with more than one", f"{fmean(lines):.0f}, {median(filled):.0f}"
    yield "longest file; files over 350 lines", f"{max(lines)}; {sum(count > 350 for count in lines)}"
    yield "files with exactly one importer", str(len(lonely))
    yield (
        "of these features, commands, formats, families",
        str(sum(bool(BY_LIST.match(who)) for who in lonely.values())),
    )
    yield (
        "lines per function: median, 95th percentile",
        f"{median(functions):.0f}, {functions[len(functions) * 95 // 100]}",
    )
    yield "signals in gui: declared, connected", f"{calls(gui, 'Signal')}, {calls(gui, 'connect')}"
    yield "lambdas in gui", str(sum(isinstance(node, ast.Lambda) for node in gui))


def calls(nodes: Iterable[ast.AST], name: str) -> int:
    """How often `name(...)` or `something.name(...)` is called."""
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    return sum((each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "")) == name for each in called)


if __name__ == "__main__":
    main()
