"""What each stage cost, added up while a run goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cvpipe.composite import Composite
from cvpipe.conductor.course import Work
from cvpipe.conductor.links import SAMPLER, Place
from cvpipe.conductor.measured import StageCost
from cvpipe.conductor.progress import Progress
from cvpipe.data import Batch
from cvpipe.stage import Stage, learns


@dataclass
class Account:
    """The sums of one stage."""

    fit_s: float = 0.0
    fit_cost_s: float | None = 0.0
    transform_s: float = 0.0
    images: int = 0
    rss_mb: float = 0.0
    computed: bool = False
    output: Batch | None = None
    out_key: str = ""
    out_rows: dict[int, int] = field(default_factory=dict)
    """Rows by chunk: the most that any pass over it gave."""

    def note(self, work: Work, key: str, first: int) -> None:
        """Remember what the stage gives: the rows of the newest key, that is of the last split."""
        if work.output is None:
            return
        if key != self.out_key:
            self.out_rows.clear()
        self.output, self.out_key = work.output, key
        self.out_rows[first] = max(work.rows, self.out_rows.get(first, 0))


@dataclass(frozen=True)
class Entry:
    """One stage of a pipeline, at the top or in a chain of a composite."""

    place: Place
    name: str
    """Its word; in a chain with the composite's word and the chain's number before it: `join.0.sift`; of a sampler with
    its learner's word."""
    learned: bool
    """Whether what it gives depends on the training images."""


def entries(stages: Iterable[Stage]) -> list[Entry]:
    """Every stage in the order of computing: the chains of a composite and the sampler of a learner before itself."""
    return _entries(stages, (), "", False)


def _entries(stages: Iterable[Stage], place: Place, head: str, learned: bool) -> list[Entry]:
    found: list[Entry] = []
    for position, stage in enumerate(stages):
        here = (*place, position)
        inner = [
            entry
            for number, chain in enumerate(stage.chains() if isinstance(stage, Composite) else ())
            for entry in _entries(chain, (*here, number), f"{head}{stage.name}.{number}.", learned)
        ]
        own = any(entry.learned for entry in inner) if isinstance(stage, Composite) else learns(stage)
        if learns(stage) and stage.sampler is not None:
            word = f"{head}{stage.name}.{stage.sampler.name}"
            inner.append(Entry((*here, SAMPLER), word, learned))
        learned = learned or own
        found += [*inner, Entry(here, head + stage.name, learned)]
    return found


class Ledger:
    """Costs by place in the pipeline, and news for the listener."""

    def __init__(self, stages: Sequence[Stage], jobs: int, progress: Progress) -> None:
        self.entries = entries(stages)
        self.jobs = jobs
        self.progress = progress
        self.accounts = {entry.place: Account() for entry in self.entries}
        self.images = 0
        self._names = {entry.place: entry.name for entry in self.entries}
        self._seen: set[tuple[str, int]] = set()
        self._warnings = Counter[str]()

    def begin(self, images: int, splits: int) -> None:
        """Announce how many images each stage will see."""
        self.images = images
        for entry in self.entries:
            self.progress.begin(entry.name, images * (splits if entry.learned else 1))

    def end(self) -> None:
        """Announce that no more images come."""
        for entry in self.entries:
            self.progress.end(entry.name)

    def transformed(self, first: int, images: int, work: Iterable[Work]) -> None:
        """The chunk of `images` images from the place `first` on went through a chain of stages."""
        for item in work:
            account = self.accounts[item.place]
            account.transform_s += item.seconds
            account.rss_mb = max(account.rss_mb, item.rss_mb)
            if item.computed:
                account.images += item.images
                account.computed = True
            account.note(item, item.key, first)
            if (item.key, first) not in self._seen:
                self._seen.add((item.key, first))
                self.progress.advance(self._names[item.place], images)

    def fitted(self, place: Place, seconds: float, rss_mb: float) -> None:
        """A learner was fitted."""
        self.remembered(place, seconds)
        account = self.accounts[place]
        account.fit_s += seconds
        account.computed = True
        account.rss_mb = max(account.rss_mb, rss_mb)

    def remembered(self, place: Place, seconds: float | None) -> None:
        """Fitting a learner took so long, now or in an earlier run; None where that is not known."""
        account = self.accounts[place]
        known = account.fit_cost_s is not None and seconds is not None
        account.fit_cost_s = account.fit_cost_s + seconds if known else None  # type: ignore[operator]

    def warned(self, place: Place, texts: Iterable[str]) -> None:
        """A fit of a learner, now or in an earlier run, told what should be known about it."""
        self._warnings.update(f"stage '{self._names[place]}': {text}" for text in texts)

    def warnings(self) -> list[str]:
        """All of that, each once with the number of fits."""
        return [text if fits == 1 else f"{text} ({fits} fits)" for text, fits in self._warnings.items()]

    def costs(self) -> list[StageCost]:
        """The sums so far."""
        return [self._cost(entry.name, self.accounts[entry.place]) for entry in self.entries]

    def _cost(self, name: str, account: Account) -> StageCost:
        seconds = account.transform_s / self.jobs
        speed = account.images / seconds if seconds else 0.0
        output = (
            described(account.output, self.images, sum(account.out_rows.values()))
            if account.output is not None
            else ""
        )
        return StageCost(
            name,
            account.fit_s,
            seconds,
            speed,
            account.rss_mb,
            output,
            not account.computed,
            account.fit_cost_s,
        )


def described(batch: Batch, images: int, rows: int) -> str:
    """`Descriptors 2100 images, 731204 x 128 uint8` or `Features 2100 x 500 float32`: what so many images became."""
    array = next(
        a for name, a in batch.arrays().items() if name in ("values", "pixels", "scores", "response")
    )
    width = "".join(f" x {n}" for n in array.shape[1:])
    count = f"{images} images, {rows}" if batch.per_row else f"{images}"
    return f"{type(batch).__name__} {count}{width} {array.dtype}"
