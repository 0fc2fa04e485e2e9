"""Networks of timm, with a stand-in for the package: it is optional."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cvpipe.data import Images
from cvpipe.errors import RunError, SpecError
from cvpipe.nets.build import build
from cvpipe.stages.networks.cnn_features import CnnFeatures


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A package with one network, whose trained weights are all 0.5."""

    def create_model(
        name: str, pretrained: bool, num_classes: int = 10, in_chans: int = 3, **options: Any
    ) -> nn.Module:
        if pretrained and name.endswith(".gone"):
            raise ValueError("no route\nto the hub")
        net = nn.Sequential(
            nn.Conv2d(in_chans, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, num_classes)
        )
        for parameter in net.parameters() if pretrained else ():
            nn.init.constant_(parameter, 0.5)
        return net

    module: Any = ModuleType("timm")
    module.__spec__ = SimpleNamespace(origin=None)
    module.create_model = create_model
    module.is_model = lambda name: name == "tinynet"
    module.list_models = lambda: ["tinynet"]
    module.get_pretrained_cfg = lambda name: SimpleNamespace(
        mean=(0.5,) * 3, std=(0.25,) * 3, input_size=(3, 12, 12)
    )
    monkeypatch.setitem(sys.modules, "timm", module)
    return module


def test_features_come_from_its_weights_with_its_scaling(
    timm: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cvpipe.nets.weights.CLASSES", 10)
    stage = CnnFeatures(net="timm:tinynet.in1k", weights="timm")
    assert stage.conflicts() == []
    image = np.full((12, 12, 3), 255, np.uint8)  # (1 - 0.5) / 0.25 = 2; 27 inputs x 0.5, plus 0.5
    assert stage.transform(Images.from_arrays([image])).values.tolist() == [[27.5] * 4]


def test_what_is_missing_is_told(timm: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpecError, match=r"timm has no network 'tinynot' \(did you mean 'tinynet'"):
        build("timm:tinynot", classes=2, channels=3, size=(8, 8))
    stage = CnnFeatures(net="timm:tinynet.gone", weights="timm")
    with pytest.raises(
        RunError, match=r"timm cannot fetch the weights of 'tinynet\.gone': no route to the hub"
    ):
        stage.transform(Images.from_arrays([np.zeros((12, 12, 3), np.uint8)]))
    assert "unknown weights 'timm'" in CnnFeatures(net="resnet18", weights="timm").conflicts()[0]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (said,) = CnnFeatures(net="timm:tinynet", weights="timm").conflicts()
    assert said.endswith("pip install 'timm>=1.0'")


def test_it_can_be_trained_from_random_weights(timm: ModuleType) -> None:
    net = build("timm:tinynet", classes=3, channels=1, size=(8, 8))
    assert net(torch.zeros(2, 1, 8, 8)).shape == (2, 3)
