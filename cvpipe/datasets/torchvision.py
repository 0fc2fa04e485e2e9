"""The classification data sets of torchvision, by name."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from cvpipe.data import Dataset, Images
from cvpipe.data.images import Item
from cvpipe.datasets._source import Source
from cvpipe.datasets._torchvision import PARTS, items_of, labels_of
from cvpipe.errors import DataError, SpecError, did_you_mean
from cvpipe.files import user_path
from cvpipe.options import PathText


class Torchvision(Source):
    """A classification data set of torchvision: MNIST, CIFAR10, DTD, EuroSAT, Flowers102, Food101 and others.

    Images, licence and classes are those of the set; see
    https://pytorch.org/vision/stable/datasets.html. Sets that bring a training and a test part give that
    split: use `split: {given: true}`; a validation part belongs to the training part. Nothing is downloaded
    unless asked.

    Source: LeCun et al., "Gradient-based learning applied to document recognition", Proc. IEEE 1998, section III.A
    (dataset: MNIST); Xiao, Rasul & Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
    learning algorithms", 2017 (dataset: FashionMNIST); Krizhevsky, "Learning multiple layers of features from tiny
    images", 2009 (dataset: CIFAR10, CIFAR100); Coates, Lee & Ng, "An analysis of single-layer networks in
    unsupervised feature learning", AISTATS 2011 (dataset: STL10); Cimpoi et al., "Describing textures in the wild",
    CVPR 2014 (dataset: DTD); Helber et al., "EuroSAT: a novel dataset and deep learning benchmark for land use and
    land cover classification", 2019 (dataset: EuroSAT); Fei-Fei, Fergus & Perona, "Learning generative visual
    models from few training examples", CVPR Workshop 2004 (dataset: Caltech101).
    """

    dataset: str  # its name in torchvision.datasets, such as MNIST
    root: PathText  # the folder that torchvision keeps it in; a relative path starts at the current folder
    download: bool = False  # fetch it into `root` if it is not there

    def load(self) -> Dataset:
        """All parts of the set. Raises `SpecError` for an unknown name, `DataError` if not at `root`."""
        if self.dataset not in PARTS:
            near = _other_case(self.dataset) or did_you_mean(self.dataset, PARTS)
            allowed = ", ".join(PARTS)
            raise SpecError(f"unknown torchvision data set '{self.dataset}'{near}; there are {allowed}")
        make = getattr(_datasets(), self.dataset)
        ids, items, labels, given = list[str](), list[Item](), list[str](), list[str]()
        for part, options in PARTS[self.dataset]:
            loaded = self._part(make, options)
            words = "/".join(str(v) for v in options.values() if isinstance(v, str)) or part
            ids += [f"{words}/{i:05d}".lstrip("/") for i in range(len(loaded))]
            items += items_of(loaded)
            labels += labels_of(loaded)
            given += [part] * len(loaded)
        split = np.array(given) if all(given) else None
        return Dataset(self.dataset, Images(ids, items), np.array(labels), given=split)

    def _part(self, make: Any, options: dict[str, Any]) -> Any:
        # Not every class knows the option, and False is the default of all that do.
        fetch = {"download": True} if self.download else {}
        try:
            return make(str(user_path(self.root)), **options, **fetch)
        except Exception as error:  # a missing or damaged file is a different exception in every class
            hint = "" if self.download else " (`download: true` fetches it)"
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise DataError(f"not usable at '{self.root}'{hint}: {said[0]}", where=self.dataset) from error


def _datasets() -> ModuleType:
    try:
        from torchvision import datasets
    except ImportError as error:
        raise DataError(
            "data set 'torchvision' needs torchvision: pip install torchvision",
        ) from error
    return datasets


def _other_case(name: str) -> str:
    same = [known for known in PARTS if known.lower() == name.lower()]
    return f" (did you mean '{same[0]}'?)" if same else ""
