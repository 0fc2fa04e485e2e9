"""What all learners of filters share: the patches they learn from, and the way from filters to a feature of an image.

A learner of its own says how filters are learned from white rows (`_learn`), and how the responses of linear filters at
a position become codes (`_coding`). Images and the maps of a layer below go the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Annotated, Self

import numpy as np
from annotated_types import MinLen

from cvpipe.data import Features, Images, Maps, Patches
from cvpipe.data.exhibits import Exhibit
from cvpipe.errors import RunError
from cvpipe.options import Count, NonNegative, Seed
from cvpipe.stage import Learner, Part, Stage
from cvpipe.stages.filters._coding import Coding
from cvpipe.stages.filters._exhibits import filter_gallery, use_facts
from cvpipe.stages.filters._layer import Layer
from cvpipe.stages.patches.random_patches import RandomPatches
from cvpipe.vision.dense_codes import Filters, folded
from cvpipe.vision.patch_rows import Evening, Unit, evened, rows_of, shrunk, shrunk_patches, unit_of
from cvpipe.vision.region_pooling import Level, Pool
from cvpipe.vision.whitening import Kind, whitening
from cvpipe.vision.working_size import grey

USED = 4096
"""Training patches from which it is told how much each filter is used."""


class FilterLearner(Learner):
    """A learner of filters; see the module. Its options are those of all of them."""

    filters: Count = 400  # how many are learned; Coates 2011 used 100 to 4,000
    # where training patches come from; nothing is drawn from test images
    patches: Annotated[Stage, Part(Images, Patches)] = field(default_factory=RandomPatches)
    samples: Count = 100_000  # patches to learn from, in all
    shrink: Count = 1  # images, and patches, are made so many times smaller first
    evening: Evening = "contrast"  # taken out of each patch: brightness and contrast, brightness, or nothing
    contrast: NonNegative = 10.0  # added to the variance of a patch, grey levels^2; Coates's program
    whiten: Kind = "zca"  # zca, pca, or none
    epsilon: NonNegative = 0.1  # added to the variances that whitening divides by; Coates's program
    components: Count | None = None  # directions that `whiten: pca` keeps; null keeps all
    stride: Count = 1  # px between the positions at which an image is encoded, after shrinking
    pool: Annotated[tuple[Pool, ...], MinLen(1)] = ("mean", "std")  # what is told of the codes in a region
    regions: Annotated[tuple[Level, ...], MinLen(1)] = (1,)  # grids: 2 is 2 x 2 regions, [3, 1] is 3 rows
    # give Maps for a next layer of filters in place of Features: `pool` over squares of so many positions
    maps: Count | None = None
    seed: Seed = None  # of everything that is drawn

    window_: np.ndarray
    below_: str
    unit_: np.ndarray
    mean_: np.ndarray
    whitening_: np.ndarray
    basis_: np.ndarray
    filters_: np.ndarray
    use_: np.ndarray
    seen_: int

    @property
    def sampler(self) -> Stage:
        """The stage whose patches `fit` is given."""
        return self.patches

    @property
    def fit_rows(self) -> int:
        """Patches that `fit` needs."""
        return self.samples

    @property
    def output_type(self) -> type:
        """Maps with `maps`, Features without."""
        return Features if self.maps is None else Maps

    def conflicts(self) -> list[str]:
        """Regions of maps, and patches of which nothing is left."""
        found = []
        if self.maps is not None and tuple(self.regions) != (1,):
            found.append(
                f"option 'regions' of stage '{self.name}' is of Features, but with `maps` it gives Maps"
            )
        size = getattr(self.patches, "size", None)  # of the samplers that have one
        if isinstance(size, int) and size < self.shrink:
            left = f"nothing is left of {size}x{size} px patches made {self.shrink} times smaller"
            found.append(f"stage '{self.name}': {left}")
        return found

    def fit(self, patches: Patches, labels: np.ndarray | None = None) -> Self:
        """Learn filters from (M, h, w, 3) uint8 patches of images, or (M, h, w, C) float32 ones of maps; more than
        `samples` are subsampled.

        If all patches of images are grey, images are made grey too. Raises `RunError` if there are no patches.
        """
        pixels = self._pixels(patches)
        self.window_ = np.array(pixels.shape[1:], np.int64)
        self.below_ = "images" if pixels.dtype == np.uint8 else "maps"
        unit = Unit() if self.below_ == "images" else unit_of(pixels)
        self.unit_ = np.array([unit.middle, unit.size])
        rows = evened(rows_of(pixels, unit), self.evening, self.contrast)
        white = whitening(rows, self.whiten, self.epsilon, self.components)
        self.mean_, self.whitening_, self.basis_ = white.mean, white.matrix, white.basis
        rows = white(rows)
        self._learn(rows)
        self.seen_ = len(rows)
        codes = self._codes(rows[:: max(1, len(rows) // USED)])
        self.use_ = codes.mean(axis=0).reshape(-1, len(self.filters_)).sum(axis=0)  # both signs of a filter
        return self

    def transform(self, batch: Images | Maps) -> Features | Maps:
        """(H, W, 3) uint8 RGB images or (h, w, C) maps -> (n, regions * pools * codes) float32; with `maps`, maps of
        pools * codes channels."""
        layer = Layer(self._folded(), self._coding(), self.stride, self.pool)
        seen = self._seen(batch)
        return layer.features(seen, self.regions) if self.maps is None else layer.maps(seen, self.maps)

    def exhibits(self) -> list[Exhibit]:
        """The filters sorted by use, and how much they are used."""
        if self.below_ == "maps":  # numbers in many channels are no picture
            return [use_facts(self.use_, self.seen_)]
        pictures = self.filters_ @ self.basis_
        return [filter_gallery(pictures, self._window(), self.use_), use_facts(self.use_, self.seen_)]

    def _learn(self, rows: np.ndarray) -> None:
        """Set `filters_`, (K, d) float32, and what else is learned, from (n, d) float32 white rows."""
        raise NotImplementedError(f"stage '{self.name}' has no _learn")

    def _coding(self) -> Coding:
        """From white rows to codes, by what was learned."""
        raise NotImplementedError(f"stage '{self.name}' has no _coding")

    def _codes(self, rows: np.ndarray) -> np.ndarray:
        """(n, codes) of (n, d) white rows."""
        coding = self._coding()
        return coding.encode(rows @ coding.matrix + coding.offset)

    def _folded(self) -> Filters:
        """The linear part of the codes on the pixels of a patch."""
        coding = self._coding()
        matrix = self.whitening_.astype(np.float64) @ coding.matrix
        offset = coding.offset - self.mean_.astype(np.float64) @ matrix
        return folded(
            matrix, offset, self.evening, self.contrast, self._window()[:2], Unit(*self.unit_.tolist())
        )

    def _seen(self, batch: Images | Maps) -> Iterator[np.ndarray]:
        """(H, W, C) of each image as the filters see it. Raises `RunError` for what they were not learned on."""
        given, channels = ("images", 3) if isinstance(batch, Images) else ("maps", batch.values.shape[1])
        if given != self.below_ or (given == "maps" and channels != self.window_[2]):
            learned = f"{self.below_} of {self.window_[2]} channels"
            raise RunError(
                f"its filters are those of {learned}, but {given} of {channels} channels come in", self.name
            )
        if isinstance(batch, Maps):
            return map(batch.stack, range(len(batch)))
        return (shrunk(self._coloured(image), self.shrink) for image in batch)

    def _window(self) -> tuple[int, int, int]:
        height, width, channels = self.window_.tolist()
        return height, width, channels

    def _pixels(self, patches: Patches) -> np.ndarray:
        """(M, h, w, C): of images uint8, made smaller, C is 1 if all patches are grey; of maps as they are."""
        pixels = patches.pixels
        if not len(pixels):
            raise RunError(
                f"'{self.patches.name}' found no patches in the training images; smaller patches, or another "
                "`patches`, may find some",
                self.name,
            )
        if len(pixels) > self.samples:
            pixels = pixels[np.sort(self.rng("rows").choice(len(pixels), self.samples, replace=False))]
        if pixels.dtype != np.uint8:
            return self._unshrunk(pixels)
        small = shrunk_patches(pixels, self.shrink)
        if not small.size:
            got = "x".join(str(side) for side in pixels.shape[1:3])
            raise RunError(f"nothing is left of {got} px patches made {self.shrink} times smaller", self.name)
        return small[..., :1] if (small == small[..., :1]).all() else small

    def _unshrunk(self, patches: np.ndarray) -> np.ndarray:
        """Patches of maps, which cannot be made smaller."""
        if self.shrink > 1:
            said = "`shrink` makes images smaller, but maps come in; give the layer below larger `maps`"
            raise RunError(said, self.name)
        return patches

    def _coloured(self, image: np.ndarray) -> np.ndarray:
        return image if self.window_[2] == 3 else grey(image)[..., None]
