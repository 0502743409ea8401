"""Networks of the sizes and interfaces of published SAMs with random weights: for speed, which weights do not change.

Blocks, widths, depths, heads and windows are those of segment-anything `build_sam.py` (ViT-B), EfficientSAM `vitt`,
MobileSAM `tiny_vit_sam.py`, SAM 2.1 `sam2.1_hiera_t.yaml`, sam-hq and EfficientViT-SAM L0. Left out is what takes next
to no time: relative positions, norms and biases of most layers. The decoder is SAM's two-way transformer in each.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import openvino
from openvino import opset13 as ops

Node = openvino.Node
FRAME, CELLS, WIDTH = 1024, 64, 256
FINE = {"high_res_feats_0": (1, 32, 256, 256), "high_res_feats_1": (1, 64, 128, 128)}
EARLY = {"interm_embeddings": (4, 1, 64, 64, 768)}
_random = np.random.default_rng(0)


def written(folder: Path, build: Callable[[], tuple[openvino.Model, openvino.Model]]) -> Path:
    """The folder, made, with encoder and decoder of one of `SHAPES` in it."""
    folder.mkdir(parents=True)
    for half, model in zip(("encoder", "decoder"), build(), strict=True):
        openvino.save_model(model, folder / f"{half}.xml", compress_to_fp16=True)
    return folder


def _vit(
    width: int, depth: int, heads: int, whole: Sequence[int], *, name: str, keeps_early: bool = False
) -> openvino.Model:
    """Patches of 16, windows of 14 except in the blocks named `whole`."""
    pixels = _input(name, (1, 3, FRAME, FRAME))
    grid = _nhwc(_conv(pixels, 3, width, 16, stride=16))
    early = []
    for block in range(depth):
        grid = _block(grid, width, heads, CELLS if block in whole else 14, CELLS)
        early += [grid] if keeps_early and block in whole else []
    neck = _conv(_conv(_nchw(grid), width, WIDTH, 1), WIDTH, WIDTH, 3)
    outputs = {"image_embeddings": neck}
    if early:
        outputs["interm_embeddings"] = ops.concat([ops.unsqueeze(one, np.int64(0)) for one in early], 0)
    return _model(outputs, [pixels])


def _hiera() -> openvino.Model:
    """SAM 2.1 tiny."""
    pixels = _input("image", (1, 3, FRAME, FRAME))
    grid, width, side, number = _nhwc(_conv(pixels, 3, 96, 7, stride=4)), 96, FRAME // 4, 0
    stages = []
    for depth, heads, window in ((1, 1, 8), (2, 2, 4), (7, 4, 14), (2, 8, 7)):
        if stages:
            pooled = ops.max_pool(_nchw(grid), [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)
            grid, width, side = _linear(_nhwc(pooled), width, 2 * width), 2 * width, side // 2
        for _ in range(depth):
            grid = _block(grid, width, heads, side if number in (5, 7, 9) else window, side)
            number += 1
        stages.append(_nchw(grid))
    fine, middle, coarse, last = (
        _conv(stage, size, WIDTH, 1) for stage, size in zip(stages, (96, 192, 384, 768), strict=True)
    )
    coarse = ops.add(coarse, _enlarged(last, CELLS))
    outputs = {
        "image_embed": coarse,
        "high_res_feats_0": _conv(fine, WIDTH, 32, 1),
        "high_res_feats_1": _conv(middle, WIDTH, 64, 1),
    }
    return _model(outputs, [pixels])


def _tiny_vit() -> openvino.Model:
    """MobileSAM's TinyViT of 5 million."""
    pixels = _input("x", (1, 3, FRAME, FRAME))
    plane = _gelu(_conv(_gelu(_conv(pixels, 3, 32, 3, stride=2)), 32, 64, 3, stride=2))
    for _ in range(2):
        plane = ops.add(plane, _inverted(plane, 64, 64, 4))
    grid, width, side = _nhwc(_inverted(plane, 64, 128, 1, stride=2)), 64, FRAME // 8
    for stage, (depth, heads, window) in enumerate(((2, 4, 7), (6, 5, 14), (2, 10, 7))):
        size = (128, 160, 320)[stage]
        if stage:
            is_last = stage == 2  # which keeps its stride, for SAM
            grid = _nhwc(_inverted(_nchw(grid), width, size, 1, stride=1 if is_last else 2))
            side //= 1 if is_last else 2
        width = size
        for _ in range(depth):
            grid = _block(grid, width, heads, window, side)
            grid = ops.add(grid, _nhwc(_depthwise(_nchw(grid), width, 3)))
    neck = _conv(_conv(_nchw(grid), width, WIDTH, 1), WIDTH, WIDTH, 3)
    return _model({"image_embeddings": neck}, [pixels])


def _efficientvit() -> openvino.Model:
    """EfficientViT-SAM L0: convolutions, linear attention at the two coarsest strides."""
    pixels = _input("input_image", (1, 3, 512, 512))
    plane, width = _gelu(_conv(pixels, 3, 32, 3, stride=2)), 32
    plane = ops.add(plane, _conv(_gelu(_conv(plane, 32, 32, 3)), 32, 32, 3))
    stages = []
    for size, depth, is_fused in ((64, 1, True), (128, 1, True), (256, 4, False), (512, 4, False)):
        make = _fused if is_fused else _inverted
        plane, width = make(plane, width, size, 16 if size == 256 else 8 if is_fused else 24, stride=2), size
        for _ in range(depth):
            if size == 512:
                plane = ops.add(plane, _linear_attention(plane, size))
            plane = ops.add(plane, make(plane, size, size, 4 if is_fused else 6))
        stages.append(plane)
    widths = (128, 256, 512)
    together = [_enlarged(_conv(stage, size, WIDTH, 1), CELLS) for stage, size in zip(stages[1:], widths, strict=True)]
    neck = ops.add(ops.add(together[0], together[1]), together[2])
    for _ in range(4):
        neck = ops.add(neck, _fused(neck, WIDTH, WIDTH, 1))
    return _model({"image_embeddings": _conv(neck, WIDTH, WIDTH, 1)}, [pixels])


def _decoder(
    embedding: str = "image_embeddings",
    further: Mapping[str, Sequence[int]] | None = None,
    *,
    points: tuple[str, str] = ("point_coords", "point_labels"),
    masks: tuple[str, int] = ("low_res_masks", 4),
    takes_mask: bool = True,
    takes_size: bool = True,
    kind: str = "f32",
) -> openvino.Model:
    rank = 4 if points[0].startswith("batched") else 3
    inputs = {
        embedding: _input(embedding, (1, WIDTH, CELLS, CELLS)),
        points[0]: _input(points[0], (*(1,) * (rank - 2), -1, 2)),
        points[1]: _input(points[1], (*(1,) * (rank - 2), -1)),
    }
    inputs |= {name: _input(name, shape) for name, shape in (further or {}).items()}
    grid = inputs[embedding]
    if takes_mask:
        inputs["mask_input"] = _input("mask_input", (1, 1, 256, 256))
        inputs["has_mask_input"] = _input("has_mask_input", (1,))
        seen = _gelu(_conv(_gelu(_conv(inputs["mask_input"], 1, 4, 2, stride=2)), 4, 16, 2, stride=2))
        grid = ops.add(grid, ops.multiply(_conv(seen, 16, WIDTH, 1), inputs["has_mask_input"]))
    if takes_size:
        inputs["orig_im_size"] = _input("orig_im_size", (2,), kind)
    tokens = _tokens(inputs[points[0]], inputs[points[1]])
    tokens, image = _two_way(tokens, grid)
    large = _upscaled(image, [inputs[name] for name in (further or {}) if name.startswith("high_res")])
    spread = _linear(ops.gelu(_linear(_first(tokens, masks[1]), WIDTH, WIDTH), "erf"), WIDTH, 32)
    planes = ops.matmul(spread, ops.reshape(large, np.array([1, 32, 256 * 256]), False), False, False)
    shape = (1, *(1,) * (rank - 3), masks[1], 256, 256)
    scores = ops.sigmoid(_linear(_first(tokens, 1), WIDTH, masks[1]))
    told = ops.reshape(scores, np.array(shape[:-2]), False)
    for name, node in inputs.items():
        if name in ("orig_im_size", *EARLY):  # fed and not looked at
            flat = ops.reshape(ops.convert(node, "f32"), np.array([-1]), False)
            told = ops.add(told, ops.multiply(ops.reduce_sum(flat, np.array([0])), np.float32(0)))
    outputs = {masks[0]: ops.reshape(planes, np.array(shape), False), "iou_predictions": told}
    return _model(outputs, list(inputs.values()))


def _two_way(tokens: Node, grid: Node) -> tuple[Node, Node]:
    """SAM's: tokens to tokens, tokens to image, a perceptron, image to tokens, twice; and tokens to image once more."""
    image = ops.reshape(_nhwc(grid), np.array([1, CELLS * CELLS, WIDTH]), False)
    for _ in range(2):
        tokens = ops.add(tokens, _attention(tokens, tokens, WIDTH, 8))
        tokens = ops.add(tokens, _attention(tokens, image, WIDTH, 8, inner=128))
        tokens = ops.add(tokens, _linear(ops.relu(_linear(tokens, WIDTH, 2048)), 2048, WIDTH))
        image = ops.add(image, _attention(image, tokens, WIDTH, 8, inner=128))
    return ops.add(tokens, _attention(tokens, image, WIDTH, 8, inner=128)), image


def _tokens(points: Node, labels: Node) -> Node:
    """(1, 5 + N, 256): those of masks and quality, then the points' own."""
    flat = ops.reshape(points, np.array([1, -1, 2]), False)
    angles = ops.matmul(ops.multiply(flat, np.float32(1e-3)), _weights(2, WIDTH // 2), False, False)
    known = ops.reshape(labels, np.array([1, -1, 1]), False)
    placed = ops.add(ops.concat([ops.sin(angles), ops.cos(angles)], 2), ops.multiply(known, _weights(1, WIDTH)))
    return ops.concat([_weights(1, 5, WIDTH), placed], 1)


def _upscaled(image: Node, fine: Sequence[Node]) -> Node:
    plane = _nchw(ops.reshape(image, np.array([1, CELLS, CELLS, WIDTH]), False))
    for number, (given, made) in enumerate(((WIDTH, 64), (64, 32))):
        plane = ops.convolution_backprop_data(plane, _weights(given, made, 2, 2), [2, 2])
        if fine:
            plane = ops.add(plane, fine[1 - number])
        plane = _gelu(plane)
    return plane


def _block(grid: Node, width: int, heads: int, window: int, side: int) -> Node:
    """Attention in windows, or over all where the window is the side; then a perceptron."""
    pad = -side % window
    padded = side + pad
    cut = ops.pad(grid, np.zeros(4, np.int64), np.array([0, pad, pad, 0]), "constant", np.float32(0)) if pad else grid
    count = padded // window
    split = ops.reshape(_normed(cut), np.array([count, window, count, window, width]), False)
    rows = ops.reshape(ops.transpose(split, np.array([0, 2, 1, 3, 4])), np.array([-1, window * window, width]), False)
    seen = _attention(rows, rows, width, heads)
    back = ops.reshape(seen, np.array([count, count, window, window, width]), False)
    whole = ops.reshape(ops.transpose(back, np.array([0, 2, 1, 3, 4])), np.array([1, padded, padded, width]), False)
    if pad:
        whole = ops.slice(whole, np.array([0, 0]), np.array([side, side]), np.array([1, 1]), np.array([1, 2]))
    grid = ops.add(grid, whole)
    return ops.add(grid, _linear(_gelu(_linear(_normed(grid), width, 4 * width)), 4 * width, width))


def _attention(queries: Node, keys: Node, width: int, heads: int, *, inner: int | None = None) -> Node:
    size = inner or width
    asked, known, values = (_heads(_linear(rows, width, size), size, heads) for rows in (queries, keys, keys))
    weights = ops.softmax(ops.multiply(ops.matmul(asked, known, False, True), np.float32((size / heads) ** -0.5)), -1)
    joined = ops.transpose(ops.matmul(weights, values, False, False), np.array([0, 2, 1, 3]))
    return _linear(ops.reshape(joined, np.array([0, 0, size]), True), size, width)


def _linear_attention(plane: Node, width: int) -> Node:
    rows = ops.reshape(_nhwc(plane), np.array([1, -1, width]), False)
    asked, known, values = (_heads(_linear(rows, width, width), width, width // 32) for _ in range(3))
    found = ops.matmul(ops.relu(asked), ops.matmul(ops.relu(known), values, True, False), False, False)
    joined = ops.reshape(ops.transpose(found, np.array([0, 2, 1, 3])), np.array([1, 16, 16, width]), False)
    return _conv(_nchw(joined), width, width, 1)


def _heads(rows: Node, width: int, heads: int) -> Node:
    split = ops.reshape(rows, np.array([0, 0, heads, width // heads]), True)
    return ops.transpose(split, np.array([0, 2, 1, 3]))


def _inverted(plane: Node, given: int, made: int, growth: int, *, stride: int = 1) -> Node:
    inner = max(given, made) if growth == 1 else given * growth
    wide = _gelu(_conv(plane, given, inner, 1))
    return _conv(_gelu(_depthwise(wide, inner, 3, stride=stride)), inner, made, 1)


def _fused(plane: Node, given: int, made: int, growth: int, *, stride: int = 1) -> Node:
    return _conv(_gelu(_conv(plane, given, given * growth, 3, stride=stride)), given * growth, made, 1)


def _conv(plane: Node, given: int, made: int, size: int, *, stride: int = 1) -> Node:
    pad = [(size - 1) // 2] * 2 if stride == 1 else [max((size - stride + 1) // 2, 0)] * 2
    return ops.convolution(plane, _weights(made, given, size, size), [stride] * 2, pad, pad, [1, 1])


def _depthwise(plane: Node, width: int, size: int, *, stride: int = 1) -> Node:
    weights = _weights(width, 1, 1, size, size)
    return ops.group_convolution(plane, weights, [stride] * 2, [size // 2] * 2, [size // 2] * 2, [1, 1])


def _linear(rows: Node, given: int, made: int) -> Node:
    return ops.matmul(rows, _weights(given, made), False, False)


def _normed(rows: Node) -> Node:
    return ops.mvn(rows, np.array([-1]), True, 1e-6, "inside_sqrt")


def _gelu(rows: Node) -> Node:
    return ops.gelu(rows, "erf")


def _enlarged(plane: Node, side: int) -> Node:
    return ops.interpolate(plane, np.array([side, side]), "linear", "sizes", axes=[2, 3])


def _first(tokens: Node, count: int) -> Node:
    return ops.slice(tokens, np.array([0]), np.array([count]), np.array([1]), np.array([1]))


def _nhwc(plane: Node) -> Node:
    return ops.transpose(plane, np.array([0, 2, 3, 1]))


def _nchw(grid: Node) -> Node:
    return ops.transpose(grid, np.array([0, 3, 1, 2]))


def _weights(*shape: int) -> np.ndarray:
    return _random.standard_normal(shape, np.float32) / np.float32(np.sqrt(max(np.prod(shape[1:]), 1)))


def _input(name: str, shape: Sequence[int], kind: str = "f32") -> Node:
    node = ops.parameter(list(shape), np.dtype({"f32": np.float32, "i64": np.int64}[kind]), name)
    node.output(0).set_names({name})
    return node


def _model(outputs: Mapping[str, Node], inputs: list[Node]) -> openvino.Model:
    results = []
    for name, node in outputs.items():
        port = node if isinstance(node, openvino.Output) else node.output(0)
        port.set_names({name})
        results.append(ops.result(port))
    return openvino.Model(results, inputs, "sam")


def _batched(name: str) -> tuple[str, str]:
    return f"batched_{name}_coords", f"batched_{name}_labels"


SHAPES: Mapping[str, Callable[[], tuple[openvino.Model, openvino.Model]]] = {
    "SAM ViT-B": lambda: (_vit(768, 12, 12, (2, 5, 8, 11), name="x"), _decoder()),
    "MobileSAM": lambda: (_tiny_vit(), _decoder()),
    "EfficientSAM-Ti": lambda: (
        _vit(192, 12, 3, range(12), name="batched_images"),
        _decoder(points=_batched("point"), masks=("output_masks", 3), takes_mask=False, kind="i64"),
    ),
    "EfficientViT-SAM-L0": lambda: (_efficientvit(), _decoder(masks=("masks", 4), takes_mask=False, takes_size=False)),
    "SAM 2.1 tiny": lambda: (_hiera(), _decoder("image_embed", FINE, masks=("masks", 3), takes_size=False)),
    "SAM-HQ ViT-B": lambda: (
        _vit(768, 12, 12, (2, 5, 8, 11), name="input_image", keeps_early=True),
        _decoder(further=EARLY),
    ),
}
"""Encoder and decoder of each."""
