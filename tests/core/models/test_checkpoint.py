import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

import tiny_checkpoint
from maskwright.errors import ModelError
from maskwright.models.checkpoint import read_checkpoint

WEIGHTS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "steps": np.array(7)}


@pytest.mark.parametrize("form", ["legacy", "zip"])
def test_both_formats_give_the_arrays(tmp_path: Path, form: tiny_checkpoint.Format) -> None:
    found = read_checkpoint(tiny_checkpoint.saved(tmp_path / "net.pth", WEIGHTS, form))
    assert found.keys() == WEIGHTS.keys()
    np.testing.assert_array_equal(found["a"], WEIGHTS["a"])
    assert found["steps"] == 7


@pytest.mark.parametrize("form", ["legacy", "zip"])
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("subprocess", "Popen"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_tensor_v2.__globals__"),
        ("collections", "OrderedDict.fromkeys"),
    ],
)
def test_a_hostile_pickle_is_refused_and_not_executed(
    tmp_path: Path, form: tiny_checkpoint.Format, module: str, name: str
) -> None:
    trace = tmp_path / "executed"
    call = tiny_checkpoint.call(module, name, f"open({str(trace)!r}, 'w')" if name == "eval" else f"touch {trace}")
    state = tiny_checkpoint.state_pickle(WEIGHTS, form, extra=call)
    path = tiny_checkpoint.write(tmp_path / "net.pth", state, list(WEIGHTS.values()), form)
    with pytest.raises(ModelError, match=rf"net\.pth: refused: the file asks for {module}\."):
        read_checkpoint(path)
    assert not trace.exists()


class Nested:
    """Reduces to a call whose argument reduces to a call."""

    def __init__(self, depth: int) -> None:
        self.depth = depth

    def __reduce__(self) -> tuple[object, tuple[object]]:
        return (list, (Nested(self.depth - 1) if self.depth else "x",))


def test_a_nested_reduce_is_refused(tmp_path: Path) -> None:
    path = tiny_checkpoint.write(tmp_path / "net.pth", pickle.dumps(Nested(5), protocol=2), [])
    with pytest.raises(ModelError, match=r"refused: the file asks for __builtin__\.list"):
        read_checkpoint(path)


def test_a_hostile_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(b"\x80\x02cos\nsystem\n(X\x04\x00\x00\x00truetR.")
    with pytest.raises(ModelError, match=r"refused: the file asks for os\.system"):
        read_checkpoint(path)


@pytest.mark.parametrize("form", ["legacy", "zip"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, form: tiny_checkpoint.Format, share: float) -> None:
    path = tiny_checkpoint.saved(tmp_path / "net.pth", WEIGHTS, form)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError, match="not a complete PyTorch checkpoint"):
        read_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x02K\x01.", b"PK\x03\x04rubbish"])
def test_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a complete PyTorch checkpoint"):
        read_checkpoint(path)


@pytest.mark.parametrize("shape", [(10**9, 10**9), (2, 4), (-2, 3), (2, 3, 1)])
def test_a_tensor_larger_than_its_storage_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = WEIGHTS["a"]
    extra = pickle.dumps("b", protocol=2)[2:-1] + tiny_checkpoint.tensor("0", array, shape=shape)
    path = tiny_checkpoint.write(tmp_path / "net.pth", tiny_checkpoint.state_pickle({}, extra=extra), [array])
    with pytest.raises(ModelError, match="a tensor of shape"):
        read_checkpoint(path)


def test_an_archive_that_claims_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", bytes(65 << 20))
    with pytest.raises(ModelError, match=r"refused: data\.pkl is larger"):
        read_checkpoint(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.pth: cannot be read"):
        read_checkpoint(tmp_path / "absent.pth")
