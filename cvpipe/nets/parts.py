"""A batch is learned from in parts: one thread takes one part, and gradients are added in the order of the parts.

Each part runs with one thread of its own inside torch. Torch's own threads wait for each other by spinning, which made
two of them up to ten times slower than one wherever the machine did anything else; and parts of 32 images stay in the
cache. Since parts do not depend on the number of threads, neither does one bit of the result.
Batch normalisation sees a part at a time (Hoffer, Hubara & Soudry, "Train longer, generalize better", NIPS 2017, call
it ghost batch normalisation); its running means become the mean of those of the parts. On a GPU a batch is one part.
"""

from __future__ import annotations

import copy
import queue
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self, TypeVar

import torch
from torch import Tensor, nn

from cvpipe.nets import dropout

T = TypeVar("T")
Work = Callable[[nn.Module], T]
"""What is done with a network on one part of a batch."""


class Parts:
    """Threads, and for each a copy of a network that shares its parameters but not what a pass through it leaves
    behind. A context: leaving it ends the threads."""

    def __init__(self, module: nn.Module, threads: int, compiled: bool = False) -> None:
        self.module = module
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        self._compiled = compiled
        self._threads = threads
        self._free: queue.LifoQueue[nn.Module] = queue.LifoQueue()
        for _ in range(threads):
            self._free.put(self._copy())

    def __enter__(self) -> Self:
        self._before = torch.get_num_threads()
        torch.set_num_threads(1)
        self._pool = ThreadPoolExecutor(self._threads, initializer=torch.set_num_threads, initargs=(1,))
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(self._before)

    def gradients(self, losses: Sequence[Work[tuple[Tensor, T]]]) -> tuple[list[Tensor], list[T]]:
        """The sum over parts of the gradients of their losses, for each parameter, and what each part said beside it.

        A parameter that no loss depends on gets zeros. The network's running means move on.
        """
        sums: list[Tensor | None] = [None] * len(self.parameters)
        means: list[Tensor] = []
        said = []
        for found, buffers, more in self._each([self._gradient(loss) for loss in losses]):
            sums = [_plus(a, b) for a, b in zip(sums, found, strict=True)]
            means = [_plus(a, b) for a, b in zip(means, buffers, strict=True)] if means else buffers
            said.append(more)
        self._keep(means, len(losses))
        return [
            torch.zeros_like(p) if s is None else s for s, p in zip(sums, self.parameters, strict=True)
        ], said

    def results(self, works: Sequence[Work[T]]) -> list[T]:
        """What each work gives, without gradients."""

        def quiet(work: Work[T]) -> Work[T]:
            def run(module: nn.Module) -> T:
                with torch.inference_mode():
                    return work(module)

            return run

        return list(self._each([quiet(work) for work in works]))

    def _gradient(self, loss: Work[tuple[Tensor, T]]) -> Work[Any]:
        def run(module: nn.Module) -> tuple[tuple[Tensor | None, ...], list[Tensor], T]:
            value, more = loss(module)
            found = torch.autograd.grad(value, self.parameters, allow_unused=True)
            return found, [buffer.clone() for buffer in module.buffers()], more

        return run

    def _each(self, works: Sequence[Work[T]]) -> Iterator[T]:
        """Results in order; few works are begun ahead of what is taken, since each may hold a set of gradients."""
        waiting: deque[Future[T]] = deque()
        for work in works:
            if len(waiting) > self._threads:
                yield waiting.popleft().result()
            waiting.append(self._pool.submit(self._with_copy, work))
        while waiting:
            yield waiting.popleft().result()

    def _with_copy(self, work: Work[T]) -> T:
        module = self._free.get()
        try:
            for mine, original in zip(module.modules(), self.module.modules(), strict=True):
                mine.training = original.training
            with torch.no_grad():
                for buffer, own in zip(module.buffers(), self.module.buffers(), strict=True):
                    buffer.copy_(own)
            return work(module)
        finally:
            self._free.put(module)

    def _copy(self) -> nn.Module:
        """A copy whose parameters are the network's own."""
        made = copy.deepcopy(self.module)
        for name, module in self.module.named_modules():
            twin = made.get_submodule(name)
            for key, parameter in module.named_parameters(recurse=False):
                setattr(twin, key, parameter)
        dropout.address(made)
        if self._compiled:
            made.compile()
        return made

    def _keep(self, sums: Sequence[Tensor], parts: int) -> None:
        with torch.no_grad():
            for own, total in zip(self.module.buffers(), sums, strict=False):
                if own.is_floating_point():
                    own.copy_(total / parts)
                else:  # a count of batches
                    own.copy_(torch.div(total, parts, rounding_mode="floor"))


def _plus(total: Any, more: Any) -> Any:
    if total is None or more is None:
        return more if total is None else total
    return total.add_(more)
