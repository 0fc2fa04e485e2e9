"""What each stage cost, added up while a run goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cvpipe.conductor.chunks import Work
from cvpipe.conductor.progress import Progress
from cvpipe.conductor.result import StageCost
from cvpipe.data import Batch
from cvpipe.stage import Learner, Stage


@dataclass
class Account:
    """The sums of one stage."""

    fit_s: float = 0.0
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


class Ledger:
    """Costs by position in the pipeline, and news for the listener."""

    def __init__(self, stages: Sequence[Stage], jobs: int, progress: Progress) -> None:
        self.stages = list(stages)
        self.jobs = jobs
        self.progress = progress
        self.accounts = [Account() for _ in stages]
        self.images = 0
        self._seen: set[tuple[str, int]] = set()

    def begin(self, images: int, splits: int) -> None:
        """Announce how many images each stage will see."""
        self.images = images
        learned = False
        for stage in self.stages:
            learned = learned or isinstance(stage, Learner)
            self.progress.begin(stage.name, images * (splits if learned else 1))

    def end(self) -> None:
        """Announce that no more images come."""
        for stage in self.stages:
            self.progress.end(stage.name)

    def transformed(self, keys: Sequence[str], first: int, images: int, work: Iterable[Work]) -> None:
        """The chunk of `images` images from the place `first` on went through a chain of stages with these keys."""
        for item in work:
            account = self.accounts[item.position]
            account.transform_s += item.seconds
            account.rss_mb = max(account.rss_mb, item.rss_mb)
            if item.computed:
                account.images += item.images
                account.computed = True
            key = keys[item.position]
            account.note(item, key, first)
            if (key, first) not in self._seen:
                self._seen.add((key, first))
                self.progress.advance(self.stages[item.position].name, images)

    def fitted(self, position: int, seconds: float, rss_mb: float) -> None:
        """A learner was fitted."""
        account = self.accounts[position]
        account.fit_s += seconds
        account.computed = True
        account.rss_mb = max(account.rss_mb, rss_mb)

    def costs(self) -> list[StageCost]:
        """The sums so far."""
        return [self._cost(stage, account) for stage, account in zip(self.stages, self.accounts, strict=True)]

    def _cost(self, stage: Stage, account: Account) -> StageCost:
        seconds = account.transform_s / self.jobs
        speed = account.images / seconds if seconds else 0.0
        output = (
            described(account.output, self.images, sum(account.out_rows.values()))
            if account.output is not None
            else ""
        )
        return StageCost(
            stage.name, account.fit_s, seconds, speed, account.rss_mb, output, not account.computed
        )


def described(batch: Batch, images: int, rows: int) -> str:
    """`Descriptors 2100 images, 731204 x 128 uint8` or `Features 2100 x 500 float32`: what so many images became."""
    array = next(
        a for name, a in batch.arrays().items() if name in ("values", "pixels", "scores", "response")
    )
    width = "".join(f" x {n}" for n in array.shape[1:])
    count = f"{images} images, {rows}" if batch.per_row else f"{images}"
    return f"{type(batch).__name__} {count}{width} {array.dtype}"
