"""What each stage cost, added up while a run goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cvpipe.data import Batch
from cvpipe.run.chunks import Work
from cvpipe.run.progress import Progress
from cvpipe.run.result import StageCost
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
    out_images: int = 0
    out_rows: int = 0


class Ledger:
    """Costs by position in the pipeline, and news for the listener."""

    def __init__(self, stages: Sequence[Stage], jobs: int, progress: Progress) -> None:
        self.stages = list(stages)
        self.jobs = jobs
        self.progress = progress
        self.accounts = [Account() for _ in stages]
        self._seen: set[tuple[str, int]] = set()

    def begin(self, images: int, splits: int) -> None:
        """Announce how many images each stage will see."""
        learned = False
        for stage in self.stages:
            learned = learned or isinstance(stage, Learner)
            self.progress.begin(stage.name, images * (splits if learned else 1))

    def end(self) -> None:
        """Announce that no more images come."""
        for stage in self.stages:
            self.progress.end(stage.name)

    def transformed(self, keys: Sequence[str], first_row: int, work: Iterable[Work]) -> None:
        """A chunk went through a chain of stages with these keys."""
        for item in work:
            account = self.accounts[item.position]
            if item.computed:
                account.transform_s += item.seconds
                account.images += item.images
                account.computed = True
                account.rss_mb = max(account.rss_mb, item.rss_mb)
            if (keys[item.position], first_row) not in self._seen:
                self._seen.add((keys[item.position], first_row))
                self.progress.advance(self.stages[item.position].name, item.images)
                account.output = item.output if item.output is not None else account.output
                account.out_images += item.images
                account.out_rows += item.rows

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
        output = described(account.output, account.out_images, account.out_rows) if account.output is not None else ""
        return StageCost(stage.name, account.fit_s, seconds, speed, account.rss_mb, output, not account.computed)


def described(batch: Batch, images: int, rows: int) -> str:
    """`Descriptors 2100 images, 731204 x 128 uint8` or `Features 2100 x 500 float32`: what so many images became."""
    array = next(a for name, a in batch.arrays().items() if name in ("values", "pixels", "scores", "response"))
    width = "".join(f" x {n}" for n in array.shape[1:])
    owners = f"{images} images, " if batch.per_row else ""
    return f"{type(batch).__name__} {owners}{rows}{width} {array.dtype}"
