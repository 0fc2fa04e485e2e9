"""The options that trained networks share: which network, what it sees, and how it is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Interval

from cvpipe.nets import schedules
from cvpipe.options import Count, NonNegative, PathText, Positive, Seed
from cvpipe.stage import Stage
from cvpipe.stages.networks._named import NamedNet

if TYPE_CHECKING:
    from cvpipe.nets.recipe import Recipe

Augmentation = Literal["flip", "crop", "rotate", "scale", "colour", "erase", "mixup", "cutmix"]
Share = Annotated[float, Interval(ge=0, lt=1)]


class Seen(Stage):
    """What a network sees of an image."""

    # height and width that images are resized to, px: a side, [height, width], or auto: the size of the training images
    # if all have one, else a square of their median side; auto gives at most 224 px (Krizhevsky 2012)
    size: Count | tuple[Count, Count] | Literal["auto"] = "auto"
    channels: Literal["auto", "grey", "rgb"] = "auto"  # auto: grey if all training images are grey


class Trained(Stage):
    """How a network is trained.

    Source: Polyak, "Some methods of speeding up the convergence of iteration methods", USSR Computational Mathematics
    and Mathematical Physics 1964 (optimiser: momentum); Sutskever et al., "On the importance of initialization and
    momentum in deep learning", ICML 2013 (optimiser: nesterov); Duchi, Hazan & Singer, "Adaptive subgradient methods
    for online learning and stochastic optimization", JMLR 2011 (optimiser: adagrad); Tieleman & Hinton, "Lecture 6.5:
    RMSprop, divide the gradient by a running average of its recent magnitude", Coursera 2012 (optimiser: rmsprop);
    Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015 (optimiser: adam, adamw); Loshchilov & Hutter,
    "Decoupled weight decay regularization", ICLR 2019 (optimiser: adamw); Loshchilov & Hutter, "SGDR: stochastic
    gradient descent with warm restarts", ICLR 2017, equation 5 (schedule: cosine); Smith & Topin, "Super-convergence:
    very fast training of neural networks using large learning rates", SPIE 2019 (schedule: one_cycle); Hsueh, Li & Wu,
    "Stochastic gradient descent with hyperbolic-tangent decay on classification", 2018, equation 3 (schedule: tanh);
    Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017, section 2.2 (warm_up: above 0);
    Smith et al., "Don't decay the learning rate, increase the batch size", ICLR 2018, section 5 (grow_batch: true);
    Szegedy et al., "Rethinking the inception architecture for computer vision", CVPR 2016, section 7 (label_smoothing:
    above 0); Polyak & Juditsky, "Acceleration of stochastic approximation by averaging", SIAM Journal on Control and
    Optimization 1992 (average: above 0); Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural
    networks", ICML 2013, section 3.2 (clip: above 0); Zhong et al., "Random erasing data augmentation", AAAI 2020
    (augment: erase); Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018 (augment: mixup); Yun et al.,
    "CutMix: regularization strategy to train strong classifiers with localizable features", ICCV 2019 (augment:
    cutmix).
    """

    epochs: Count = 10  # passes over the training images
    batch: Count | Literal["all"] = 128  # images of a step; 1 is one at a time, all is plain gradient descent
    optimiser: Literal["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"] = (
        "adam"  # kind of step
    )
    learning_rate: Positive = 1e-3  # at the start; 1e-3 suits adam (Kingma & Ba 2015), 0.01 to 0.1 suit sgd
    momentum: Share = 0.9  # of momentum and nesterov
    # how the learning rate changes: inverse_time is 1 / (1 + decay t), two_step falls after half and three quarters of
    # the training, tanh is the decay of Hsueh 2018
    schedule: schedules.Name = "cosine"
    # factor of a drop (step, multi_step, two_step: null is 0.1) or of an epoch (exponential: 0.95), k of inverse_time
    # (1), exponent of polynomial (2)
    decay: Positive | None = None
    every: Count = 10  # epochs between two drops of schedule: step
    milestones: tuple[Share, ...] = (0.5, 0.75)  # shares of the training after which multi_step drops
    warm_up: NonNegative = (
        0.0  # epochs over which the learning rate rises from 0; 5 for large batches (Goyal 2017)
    )
    grow_batch: bool = False  # the batch grows where the learning rate would fall (Smith 2018)
    l1: NonNegative = 0.0  # weight of the sum of absolute weights in the loss
    l2: NonNegative = 0.0  # weight decay of tensors, not of biases; 5e-4 (Krizhevsky 2012)
    label_smoothing: Share = 0.0  # share of a label that is spread over all classes; 0.1 (Szegedy 2016)
    average: Share = (
        0.0  # decay per step of a moving average of the weights, which is kept; 0 is off, 0.999 is usual
    )
    clip: NonNegative = 0.0  # largest norm of a gradient; 0 is no limit
    # changes to training images, by name, or with a strength: flip (probability 0.5), crop (share of the side 0.125),
    # rotate (degrees 15), scale (0.2), colour (0.2), erase (probability 0.5), mixup (alpha 0.2), cutmix (alpha 1)
    augment: tuple[Augmentation | dict[Augmentation, NonNegative], ...] = ()
    validation: Share = 0.0  # share of the training images, of each class, that is only watched
    patience: Annotated[int, Ge(0)] = 0  # epochs without a better validation loss before the end; 0 is never
    part: Count = (
        32  # images that one thread takes at once, and that batch normalisation sees together on a CPU
    )
    memory: Count = 2000  # MB of training images held as bytes; more are decoded again in each epoch
    precision: Literal["auto", "full", "mixed"] = "auto"  # mixed: bfloat16; auto: where a GPU has it
    compile: bool = False  # let torch compile the network; on a CPU that needs a C++ compiler
    overfit_check: bool = False  # before training: can a copy learn 16 of the images by heart?
    tensorboard: PathText | None = None  # folder for TensorBoard files; needs the package tensorboard
    seed: Seed = None  # of weights, order, dropout and augmentation

    def conflicts(self) -> list[str]:
        """What does not go together."""
        found = []
        if self.patience and not self.validation:
            found.append(f"patience: {self.patience} needs images to watch: set validation, such as 0.1")
        if self.grow_batch and self.schedule in ("constant", "one_cycle"):
            found.append(
                f"grow_batch needs a schedule that falls, not {self.schedule}: step, cosine or another"
            )
        return found

    def strengths(self) -> dict[str, float]:
        """The strength of each change to training images."""
        from cvpipe.nets.augment import STRENGTHS

        found: dict[str, float] = {}
        for entry in self.augment:
            pairs: dict = {entry: STRENGTHS[entry]} if isinstance(entry, str) else entry
            found |= pairs
        return found

    def recipe(self, device: str, **changes: Any) -> Recipe:
        """These options as the trainer takes them."""
        from cvpipe.nets.recipe import Recipe
        from cvpipe.nets.schedules import Schedule

        plain: dict[str, Any] = {
            "epochs": self.epochs,
            "batch": 0 if self.batch == "all" else self.batch,
            "optimiser": self.optimiser,
            "rate": self.learning_rate,
            "momentum": self.momentum,
            "schedule": Schedule(self.schedule, self.decay, self.every, tuple(self.milestones), self.warm_up),
            "grow_batch": self.grow_batch,
            "l1": self.l1,
            "l2": self.l2,
            "smoothing": self.label_smoothing,
            "average": self.average,
            "clip": self.clip,
            "augment": self.strengths(),
            "part": self.part,
            "patience": self.patience,
            "mixed_precision": self.precision == "mixed"
            or (self.precision == "auto" and _has_bfloat16(device)),
            "compiled": self.compile,
        }
        return Recipe(**plain | changes)


class Chosen(NamedNet):
    """Which network.

    Source: LeCun, Bottou, Orr & Müller, "Efficient BackProp", Neural networks: tricks of the trade 1998, section 4.6
    (initialise: lecun); Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010, equation 16 (initialise: xavier); He et al., "Delving deep into rectifiers: surpassing human-level
    performance on ImageNet classification", ICCV 2015, equation 10 (initialise: he); Saxe, McClelland & Ganguli,
    "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", ICLR 2014 (initialise:
    orthogonal).
    """

    net: str = "simple_cnn"  # a network, see docs/networks.md, or package.Class of your own with CVPIPE_TRUST=package
    options: dict[str, Any] | None = None  # of the network, such as {widths: [32, 64]}
    # how weights begin: own is the network's way, zeros shows why not (LeCun 1998, Glorot 2010, He 2015, Saxe 2014)
    initialise: Literal["own", "zeros", "normal", "lecun", "xavier", "he", "orthogonal"] = "own"

    def conflicts(self) -> list[str]:
        """What is wrong with the network or its options."""
        from cvpipe.nets.table import net_problem

        found = net_problem(self.net, self.options)
        return [found] if found else []


def _has_bfloat16(device: str) -> bool:
    import torch

    return device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
