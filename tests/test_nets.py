"""Networks: as many parameters as published, the shapes of their papers, what they refuse."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from cvpipe_cli.main import main
from torch import nn
from toys import striped

from cvpipe import Pipeline
from cvpipe.conductor import sources
from cvpipe.errors import RunError, SpecError
from cvpipe.nets.build import build, smallest_size, usual_task
from cvpipe.nets.cost import multiply_adds
from cvpipe.nets.layers import ScaledTanh, Subsample, TableConv
from cvpipe.nets.lenet import LENET5_TABLE
from cvpipe.nets.own import TRUST, check_output
from cvpipe.nets.table import NETS, net_problem
from cvpipe.nets.taps import Dry
from cvpipe.stages.networks.cnn import Cnn

PUBLISHED = {
    # network: (parameters, multiply-adds in 10^6 or None), with 1,000 classes at the size of its paper; 10 digits
    "mlp": (573_910, None),
    "simple_cnn": (119_530, None),
    "lenet1": (2_578, None),  # LeCun et al. 1990, "2578 independent parameters"
    "lenet5": (
        60_000 + 850,
        None,
    ),  # LeCun et al. 1998, "60,000 trainable free parameters"; a dense last layer
    "alexnet": (60_965_224, 724),  # Caffe's reimplementation of the 2012 network
    "zfnet": (62_357_608, None),
    "vgg11": (132_863_336, 7609),  # from here on torchvision's documentation
    "vgg13": (133_047_848, 11308),
    "vgg16": (138_357_544, 15470),
    "vgg19": (143_667_240, 19632),
    "vgg11_bn": (132_868_840, 7609),
    "vgg13_bn": (133_053_736, 11308),
    "vgg16_bn": (138_365_992, 15470),
    "vgg19_bn": (143_678_248, 19632),
    # VGG-16's, whose dense layers see 7x7 positions instead of one, and 256 and 512 channels that give scores as well
    "fcn32s": (138_357_544, 21_405),
    "fcn16s": (138_357_544 + 513_000, 21_505),
    "fcn8s": (138_357_544 + 513_000 + 257_000, 21_706),
    "googlenet": (13_004_888, 1498),  # 6,624,904 without the auxiliary heads
    "resnet18": (11_689_512, 1814),
    "resnet34": (21_797_672, 3664),
    "resnet50": (25_557_032, 4089),
    "resnet101": (44_549_160, 7801),
    "resnet152": (60_192_808, 11514),
    "resnext50": (25_028_904, 4230),
    "densenet121": (7_978_856, 2834),
    "squeezenet": (1_248_424, 819),
    "capsnet": (8_215_568, None),  # Sabour et al. 2017, "8.2M parameters"
    "lstm_rows": (82_186, None),
    "efficientnet_lite0": (4_652_008, None),
}


def dry(net: str, **options: Any) -> Dry:
    classes, channels, side = usual_task(net)
    return Dry(net, classes, channels, (side, side), **options)


@pytest.mark.parametrize("net", NETS)
def test_parameters_and_multiply_adds_are_the_published_ones(net: str) -> None:
    parameters, millions = PUBLISHED[net]
    made = dry(net)
    assert made.parameters == parameters
    assert millions is None or round(multiply_adds(made) / 1e6) == millions


def test_parameters_without_parts_that_papers_leave_out() -> None:
    assert dry("googlenet", auxiliary=False).parameters == 6_624_904
    assert round(dry("capsnet", decoder=False).parameters / 1e6, 1) == 6.8


@pytest.mark.parametrize("net", NETS)
def test_the_smallest_image_works_and_a_smaller_one_is_refused(net: str) -> None:
    small = smallest_size(net)
    made = Dry(net, 7, 3, (small, small + 1))
    assert made.shapes[list(made.shapes)[-1]][0] == 7
    if small > 1:
        with pytest.raises(RunError, match=f"at least {small} x {small} px, got {small} x {small - 1} px"):
            build(net, classes=7, channels=3, size=(small - 1, small))
        with pytest.raises((RuntimeError, ValueError)):
            # Without the check it would fail indeed: the smallest size is not larger than it has to be.
            maker(net)(7, 3, (small - 1, small - 1), **NETS[net].defaults)(
                torch.zeros(1, 3, small - 1, small - 1)
            )


def maker(net: str) -> Any:
    from cvpipe.nets import build as module

    return module._maker(net)


@pytest.mark.parametrize("net", [n for n in NETS if not n.startswith(("vgg", "fcn", "resnet1", "zfnet"))])
@pytest.mark.parametrize("channels", [1, 3])
def test_grey_and_colour_images_give_scores(net: str, channels: int) -> None:
    side = max(32, smallest_size(net))
    options = {"dense": (16,)} if "dense" in NETS[net].options else {}
    made = build(net, classes=5, channels=channels, size=(side, side + 3), **options).eval()
    with torch.inference_mode():
        scores = made(torch.rand(2, channels, side, side + 3))
    assert scores.shape == (2, 5)
    assert torch.isfinite(scores).all()


def test_simple_cnn_takes_any_list() -> None:
    made = dry("simple_cnn", widths=(8, 16, 24), dense=(), batch_norm=True, dropout=0.5, kernel=5)
    assert made.shapes["pool3"] == (24, 3, 3)
    assert smallest_size("simple_cnn", widths=(8, 16, 24)) == 8


def test_alexnet_has_the_maps_of_its_figure() -> None:
    shapes = dry("alexnet").shapes
    found = [
        shape
        for name, shape in shapes.items()
        if isinstance(dry("alexnet").net.get_submodule(name), nn.Conv2d)
    ]
    assert found == [(96, 55, 55), (256, 27, 27), (384, 13, 13), (384, 13, 13), (256, 13, 13)]
    assert Dry("alexnet", 10, 3, (32, 32)).shapes["features"] == (256, 3, 3)
    assert Dry("alexnet", 10, 1, (28, 28)).shapes["features"] == (256, 2, 2)


def test_response_normalisation_is_that_of_the_paper() -> None:
    from cvpipe.nets.alexnet import _response_norm

    x = torch.rand(1, 9, 1, 1, dtype=torch.float64) * 30
    a = x[0, :, 0, 0].numpy()
    near = [
        a[max(0, i - 2) : i + 3] for i in range(9)
    ]  # section 3.3: k = 2, n = 5, alpha = 1e-4, beta = 0.75
    want = [a[i] / (2 + 1e-4 * (near[i] ** 2).sum()) ** 0.75 for i in range(9)]
    np.testing.assert_allclose(_response_norm()(x)[0, :, 0, 0], want, rtol=1e-10)


def test_zfnet_has_the_maps_of_its_figure() -> None:
    made = dry("zfnet")
    found = [s for n, s in made.shapes.items() if isinstance(made.net.get_submodule(n), nn.Conv2d)]
    assert [shape[1] for shape in found] == [110, 26, 13, 13, 13]
    assert made.shapes["features"] == (256, 6, 6)


@pytest.mark.parametrize("net", ["vgg11", "vgg13_bn", "vgg16", "vgg19_bn"])
def test_vgg_has_torchvisions_layers_and_names(net: str) -> None:
    from torchvision import models

    with torch.device("meta"):
        want = getattr(models, net)(weights=None)
    ours = dry(net).net
    assert repr(ours.features) == repr(want.features)
    assert {n: t.shape for n, t in ours.state_dict().items()} == {
        n: t.shape for n, t in want.state_dict().items()
    }


def test_a_residual_network_for_small_images_keeps_their_size() -> None:
    shapes = Dry("resnet18", 10, 3, (32, 32)).shapes
    assert (shapes["conv1"], shapes["layer4"]) == ((64, 32, 32), (512, 4, 4))
    assert Dry("resnet18", 10, 3, (32, 32), stem="standard").shapes["layer4"] == (512, 1, 1)


def test_a_partial_convolution_is_a_convolution_with_zeros() -> None:
    torch.manual_seed(0)
    table = TableConv(6, LENET5_TABLE, 5)
    dense = nn.Conv2d(6, 16, 5)
    with torch.no_grad():
        dense.weight.zero_()
        dense.bias.copy_(table.bias.uniform_())
        for weight, (out, into) in zip(
            table.weight, [(o, i) for o, row in enumerate(LENET5_TABLE) for i in row], strict=True
        ):
            dense.weight[out, into] = weight
    x = torch.rand(2, 6, 14, 14)
    torch.testing.assert_close(table(x), dense(x))
    assert table.weight.shape[0] == 60  # LeCun et al. 1998: 1,516 parameters = 60 * 25 + 16


def test_the_units_of_lenet() -> None:
    assert ScaledTanh()(torch.tensor(1.0)).item() == pytest.approx(1.0, abs=1e-4)
    pool = Subsample(2)
    with torch.no_grad():
        pool.weight.copy_(torch.tensor([1.0, 3.0]))
        pool.bias.copy_(torch.tensor([0.0, 1.0]))
    x = torch.arange(8.0).view(1, 2, 2, 2)
    assert pool(x).flatten().tolist() == [1.5, 3 * 5.5 + 1]


@pytest.mark.parametrize(
    ("pooling", "layers"),
    [
        ("subsample", ["conv1", "act1", "pool1", "act_pool1", "conv2", "act2", "pool2", "act_pool2"]),
        ("max", ["conv1", "act1", "pool1", "conv2", "act2", "pool2"]),
    ],
)
def test_every_unit_of_lenet_is_squashed(pooling: str, layers: list[str]) -> None:
    """Section II.B: the weighted sums of all units up to F6 are passed through the squashing function."""
    net = build("lenet5", classes=10, channels=1, size=(28, 28), pooling=pooling)
    assert [name for name, _ in net.named_children()][: len(layers)] == layers


def test_alexnet_with_its_first_stem_needs_larger_images() -> None:
    assert smallest_size("alexnet", stem="standard") == 63
    made = Dry("alexnet", 3, 1, (63, 63), stem="standard", dense=(4,))
    assert made.shapes["features"] == (256, 1, 1)
    with pytest.raises(RuntimeError):
        maker("alexnet")(3, 1, (62, 62), **{**NETS["alexnet"].defaults, "stem": "standard"})
    (said,) = Cnn(net="alexnet", options={"stem": "standard"}, size=62).conflicts()
    assert said == "network 'alexnet' takes images of at least 63 x 63 px, got 62 x 62 px"


def test_rows_are_read_from_top_to_bottom() -> None:
    torch.manual_seed(0)
    net = build("lstm_rows", classes=4, channels=2, size=(5, 3), hidden=7)
    x = torch.rand(2, 2, 5, 3)
    cell = nn.LSTMCell(6, 7)
    cell.load_state_dict({n.removesuffix("_l0"): t for n, t in net.rows.cell.state_dict().items()})
    state = None
    for row in range(5):
        state = cell(torch.cat([x[:, 0, row], x[:, 1, row]], 1), state)
    assert state is not None
    torch.testing.assert_close(net(x), net.out(state[0]))
    for kind in ("gru", "rnn"):
        assert build("lstm_rows", classes=4, channels=1, size=(5, 3), cell=kind)(x[:, :1]).shape == (2, 4)


def test_the_auxiliary_heads_of_googlenet_take_part_in_the_loss() -> None:
    torch.manual_seed(0)
    net: Any = build("googlenet", classes=3, channels=3, size=(32, 32))
    images, targets = torch.rand(4, 3, 32, 32), torch.tensor([0, 1, 2, 0])
    scores = net(images)
    assert scores.shape == (4, 3)
    heads = [nn.functional.cross_entropy(head, targets) for head in (net.first, net.second)]
    want = nn.functional.cross_entropy(scores, targets) + 0.3 * sum(heads)
    torch.testing.assert_close(net.loss(scores, targets, images), want)
    plain = net.eval()(images)
    torch.testing.assert_close(net.loss(plain, targets, images), nn.functional.cross_entropy(plain, targets))


def test_the_first_stride_of_lite0_puts_its_margin_at_the_right_and_the_bottom() -> None:
    from cvpipe.nets.efficientnet_lite import SameConv

    conv = SameConv(1, 1, 3, stride=2, bias=False)
    nn.init.ones_(conv.weight)
    x = torch.zeros(1, 1, 4, 5)
    x[0, 0, 0, 0] = 1
    assert conv(x)[0, 0].tolist() == [
        [1, 0, 0],
        [0, 0, 0],
    ]  # 4 rows: no margin above; 5 columns: one on each side
    assert conv(torch.ones(1, 1, 4, 5))[0, 0].tolist() == [[6, 9, 6], [4, 6, 4]]


def test_words_and_options_are_checked_without_building() -> None:
    assert net_problem("resnet18") == ""
    assert net_problem("resnet8") == "unknown network 'resnet8' (did you mean 'resnet18'?)"
    assert net_problem("lite0") == "unknown network 'lite0' (did you mean 'efficientnet_lite0'?)"
    assert "; there are mlp," in net_problem("zzzz")
    assert (
        net_problem("mlp", {"width": [3]})
        == "unknown option 'width' of network 'mlp' (did you mean 'widths'?)"
    )
    for name, value, must in [
        ("widths", [0], "a list of whole numbers of at least 1"),
        ("kernel", 2.5, "a whole number of at least 1"),
        ("dropout", 1, "a number in [0, 1)"),
        ("batch_norm", 1, "true or false"),
    ]:
        assert net_problem("simple_cnn", {name: value}).endswith(f"must be {must}, got {value!r}")
    assert net_problem("lenet5", {"activation": "sin"}).endswith("must be tanh, relu or sigmoid, got 'sin'")
    assert (
        net_problem("densenet121", {"x": 1})
        == "unknown option 'x' of network 'densenet121': it has no options"
    )
    with pytest.raises(SpecError, match="unknown network"):
        build("nothing", classes=2, channels=3, size=(8, 8))


def test_classes_of_the_user_are_built_if_their_package_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_nets.py").write_text(
        "from torch import nn\nclass Flat(nn.Sequential):\n"
        "    def __init__(self, classes, channels, size, bias=True):\n"
        "        super().__init__(nn.Flatten(), nn.Linear(channels * size[0] * size[1], classes, bias))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    size = {"classes": 3, "channels": 1, "size": (4, 4)}
    with pytest.raises(SpecError, match=f"runs code of 'my_nets': allow it with {TRUST}=my_nets"):
        build("my_nets.Flat", **size)
    monkeypatch.setenv(TRUST, "other, my_nets")
    assert build("my_nets.Flat", **size, bias=False)(torch.zeros(1, 1, 4, 4)).shape == (1, 3)
    with pytest.raises(SpecError, match="cannot be imported"):
        build("my_nets.Round", **size)


THEIRS = """
import torch
from torch import nn
class Tiny(nn.Module):
    def __init__(self, classes, channels, size):
        super().__init__()
        self.dense = nn.Linear(channels * size[0] * size[1], classes)
    def forward(self, x):
        return self.dense(x.flatten(1))
class Twice(Tiny):
    def forward(self, x):
        return super().forward(x), x
class Four(Tiny):
    def __init__(self, classes, channels, size):
        super().__init__(4, channels, size)
class Small(Tiny):
    def __init__(self, classes, channels, size):
        super().__init__(classes, channels, (2, 2))
class Plain(Tiny):
    def __init__(self, classes):
        super().__init__(classes, 3, (8, 8))
def number(classes, channels, size):
    return 7
"""


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module with networks of the user's, which may be built."""
    (tmp_path / "tiny_nets.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(TRUST, "tiny_nets,nowhere_nets")
    yield
    sys.modules.pop("tiny_nets", None)


def test_what_keeps_a_class_of_the_user_from_being_built_is_known_before_a_run(
    theirs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert net_problem("tiny_nets.Tiny") == ""
    assert "tiny_nets" not in sys.modules
    assert net_problem("nowhere_nets.Tiny") == (
        "network 'nowhere_nets.Tiny' cannot be imported: there is no module 'nowhere_nets'; "
        "PYTHONPATH=. finds a file in the working folder"
    )
    assert "ModuleNotFoundError: No module named 'nowhere_nets'" in net_problem("nowhere_nets.inner.Tiny")
    monkeypatch.delenv(TRUST)
    wrong = "network 'tiny_nets.Tiny' runs code of 'tiny_nets': allow it with CVPIPE_TRUST=tiny_nets"
    assert net_problem("tiny_nets.Tiny") == wrong
    with pytest.raises(SpecError, match=wrong):
        Pipeline([Cnn(net="tiny_nets.Tiny")]).check()


@pytest.mark.parametrize(
    ("net", "said"),
    [
        ("Twice", "must give a score for each image and class, (2, 3) for two images and 3 classes, but gives a tuple"),
        ("Four", "must give a score for each image and class, (2, 3) for two images and 3 classes, but gives (2, 4)"),
        ("Small", "fails on two images, (2, 3, 8, 8): RuntimeError: mat1 and mat2 shapes cannot be multiplied"),
        ("Plain", "cannot be built: TypeError: Plain.__init__() got an unexpected keyword argument 'channels'; "
                  "it is called with classes, channels, size"),
        ("number", "makes no torch.nn.Module: its type is int"),
    ],
)  # fmt: skip
def test_a_wrong_network_of_the_user_is_explained(theirs: None, net: str, said: str) -> None:
    data = striped(6, side=8)
    stage = Cnn(net=f"tiny_nets.{net}", size=8, epochs=1, seed=0)
    with pytest.raises((RunError, SpecError), match=re.escape(f"network 'tiny_nets.{net}' {said}")):
        stage.fit(data.images, data.labels)


def test_looking_at_what_a_network_gives_leaves_it_as_it_is(theirs: None) -> None:
    module = nn.Sequential(build("tiny_nets.Tiny", classes=3, channels=3, size=(8, 8)))
    module.append(nn.BatchNorm1d(3))
    torch.manual_seed(1)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    check_output("tiny_nets.Tiny", module, 3, 3, (8, 8))
    assert module.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    drawn = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(drawn, torch.rand(1))


def test_the_source_of_every_network_is_part_of_the_keys_of_results() -> None:
    found = sources.closure("cvpipe.nets.build") or {}
    assert {f"cvpipe.nets.{net.maker.partition('.')[0]}" for net in NETS.values()} <= set(found)


@pytest.mark.parametrize(
    ("net", "line"),
    [
        (
            "lenet5",
            "lenet5 on grey images of 28 x 28 px with 10 classes: 60,850 parameters, 326,520 multiply-adds.",
        ),
        (
            "squeezenet",
            "squeezenet on colour images of 224 x 224 px with 1,000 classes: 1,248,424 parameters, ",
        ),
    ],
)
def test_layers_are_listed_for_the_images_of_the_table(net: str, line: str) -> None:
    done = CliRunner().invoke(main, ["stages", "--layers", net])
    assert done.exit_code == 0
    assert line in done.stdout


def test_the_table_in_the_docs_is_counted() -> None:
    text = (Path(__file__).parents[1] / "docs" / "networks.md").read_text()
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in text.splitlines()
        if line.startswith("| `")
    ]
    table = {row[0].strip("`"): row for row in rows if len(row) == 8}
    assert set(table) == set(NETS)
    for net, (_, text, side, smallest, _, parameters, millions, _) in table.items():
        made = dry(net)
        assert (text, side, smallest) == (NETS[net].text, str(NETS[net].side), str(smallest_size(net)))
        assert (parameters, millions) == (f"{made.parameters:,}", f"{multiply_adds(made) / 1e6:,.1f}")
