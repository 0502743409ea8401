"""The converter of YOLACT checkpoints, against the reference implementation, the clock, and the model's page.

    PYTHONPATH=core:resources:tests python tests/benchmarks/bench_yolact_conversion.py [--resnet101]

Converts a checkpoint of the published layout with random weights (seed 1 of the shared oracle) in a process of its own,
with full and with half weights. Prints seconds and the peak of its memory (limits: 20 s, 1.5 GB), the largest
difference of each output from what the reference implementation returns (limits: 1e-4; half weights 5e-3, prototypes
2e-2), and how many parameters and operations there are, by which way of counting.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from maskwright.models.checkpoint import read_checkpoint
from maskwright.models.convert import Precision, convert
from tiny_checkpoint import saved, yolact_weights

SHARED = Path(os.environ.get("MASKWRIGHT_SHARED", Path(__file__).resolve().parents[3] / "shared" / "data"))
PAGE_PARAMETERS, PAGE_OPERATIONS = 36.829e6, 118.575e9
"""Of the model's page in Open Model Zoo."""
LIMITS: dict[str, dict[str, float]] = {
    "f32": {"conf": 1e-4, "boxes": 1e-4, "mask": 1e-4, "proto": 1e-4},
    "f16": {"conf": 5e-3, "boxes": 5e-3, "mask": 5e-3, "proto": 2e-2},
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--resnet101", action="store_true", help="the deeper layout; it has no reference outputs")
    arguments.add_argument("--convert", nargs=3, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.convert:
        converted_here(*options.convert)
        return
    with tempfile.TemporaryDirectory() as folder:
        source = checkpoint(Path(folder), resnet101=options.resnet101)
        print(f"checkpoint: {source.stat().st_size / 1e6:.0f} MB")
        for precision in LIMITS:
            subprocess.run([sys.executable, __file__, "--convert", source, folder, precision], check=True)
            if not options.resnet101:
                print_differences(Path(folder) / f"{precision}.xml", precision)
        print_counts(source, Path(folder) / "f32.xml")
        if not options.resnet101:
            page = f"{PAGE_PARAMETERS / 1e6:.3f} M parameters, {PAGE_OPERATIONS / 1e9:.3f} G operations"
            print(f"the model's page says {page}")


def checkpoint(folder: Path, *, resnet101: bool) -> Path:
    path, script = folder / "net.pth", SHARED / "oracle" / "make_yolact_checkpoint.py"
    if resnet101 or not script.exists():
        blocks = (3, 4, 23 if resnet101 else 6, 3)
        return saved(path, yolact_weights(blocks=blocks, width=64, features=256, classes=81, prototypes=32))
    subprocess.run([sys.executable, script, "1", path], check=True)
    return path


def converted_here(source: str, folder: str, precision: Precision) -> None:
    """In a process of its own, so that the peak is the converter's."""
    start = time.process_time()
    convert(Path(source), Path(folder), precision=precision, name=precision)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{precision}: converted in {time.process_time() - start:.1f} s of processor time, peak {peak:.2f} GB")


def print_differences(path: Path, precision: str) -> None:
    if not (stored_path := SHARED / "oracle" / "yolact_forward.npz").exists():
        return
    stored = np.load(stored_path)
    network = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    outputs = network(stored["input_bgr"].transpose(2, 0, 1)[None].astype(np.float32))
    for name, limit in LIMITS[precision].items():
        seen = outputs[name][:, ::3, ::3] if name == "proto" else outputs[name][:, stored["anchor_index"]]
        difference = np.abs(seen - stored[name]).max()
        print(f"  {name:6} largest difference {difference:.1e}, limit {limit:.0e}: {verdict(difference <= limit)}")


def print_counts(source: Path, network: Path) -> None:
    weights = read_checkpoint(source)
    dropped = ("semantic_seg_conv", "fpn.downsample_layers.2")
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    trained = {name: array.size for name, array in weights.items() if not name.endswith(statistics)}
    used = sum(size for name, size in trained.items() if not name.startswith(dropped))
    head = sum(size for name, size in trained.items() if name.startswith("prediction_layers"))
    stored, products, operations = graph_counts(network)
    print("parameters")
    print(f"  trained numbers in the checkpoint, all            {sum(trained.values()) / 1e6:8.3f} M")
    print(f"  of these used when predicting                     {used / 1e6:8.3f} M")
    print(f"  the same with the shared head counted five times  {(used + 4 * head) / 1e6:8.3f} M")
    print(f"  kernels and biases in the IR, norms folded in     {stored / 1e6:8.3f} M")
    print("operations for one image of 550 x 550")
    print(f"  multiply-adds of the convolutions                 {products / 1e9:8.3f} G")
    print(f"  two operations each                               {2 * products / 1e9:8.3f} G")
    print(f"  and one for each bias, activation and sum         {operations / 1e9:8.3f} G")


def graph_counts(path: Path) -> tuple[int, int, int]:
    """Numbers in kernels and biases, multiply-adds of convolutions, and all operations of the graph's arithmetic."""
    constants: dict[str, int] = {}
    products = others = 0
    for op in openvino.Core().read_model(path).get_ops():
        if op.get_type_name() == "Convolution":
            kernel: NDArray[Any] = np.array(op.input(1).get_shape())
            products += int(np.prod(op.get_output_shape(0))) * int(np.prod(kernel[1:]))
            constants[constant_name(op, 1)] = int(np.prod(kernel))
        elif op.get_type_name() in ("Add", "Relu", "Multiply"):
            others += int(np.prod(op.get_output_shape(0)))
            source = op.input(0).get_source_output().get_node()
            if op.get_type_name() == "Add" and source.get_type_name() == "Convolution" and is_constant(op, 1):
                constants[constant_name(op, 1)] = int(np.prod(op.input(1).get_shape()))
    return sum(constants.values()), products, 2 * products + others


def is_constant(op: openvino.Node, port: int) -> bool:
    return op.input(port).get_source_output().get_node().get_type_name() in ("Constant", "Convert")


def constant_name(op: openvino.Node, port: int) -> str:
    return str(op.input(port).get_source_output().get_node().get_friendly_name())


def verdict(holds: bool) -> str:
    return "holds" if holds else "EXCEEDED"


if __name__ == "__main__":
    main()
