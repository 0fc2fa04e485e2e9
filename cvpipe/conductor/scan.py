"""The first look at every image: its content hash, and whether it can be decoded at all.

Done once, before any split, so that a bad image never reaches a stage and a split never counts one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from cvpipe.conductor import keys, workers
from cvpipe.conductor.chunks import CHUNK
from cvpipe.conductor.progress import Progress
from cvpipe.conductor.store import Store
from cvpipe.data import Dataset, Images, Item
from cvpipe.errors import BadImage, DataError, Problem

SHOWN = 20
"""Bad images that an error message names; the rest is counted."""


@dataclass(frozen=True)
class Scan:
    """What is known of each of n images."""

    tokens: list[str]
    """Content hash, or an empty string where the file cannot even be read."""
    reasons: list[str]
    """Why it cannot be decoded; empty for a good image."""
    sizes: np.ndarray
    """(n, 2) int32 height and width in px; 0 for a bad one."""


def scan(images: Images, store: Store, jobs: int, progress: Progress) -> Scan:
    """Hash and decode every image. What was found good before, by content, is not decoded again."""
    progress.begin("images", len(images))
    parts = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
    tokens, reasons, sizes = [], [], [np.empty((0, 2), np.int32)]
    with workers.over(jobs, partial(_scan_part, store=store), parts) as done:
        for part, (part_tokens, part_reasons, part_sizes) in zip(parts, done, strict=True):
            tokens += part_tokens
            reasons += part_reasons
            sizes.append(part_sizes)
            progress.advance("images", len(part))
    progress.end("images")
    return Scan(tokens, reasons, np.concatenate(sizes))


def usable(
    dataset: Dataset, on_bad_image: str, store: Store, jobs: int, progress: Progress
) -> tuple[Dataset, Scan, list[dict[str, str]]]:
    """The part of a data set that can be decoded, its scan, and what was skipped as `{id, reason}`.

    Raises `DataError` if there is no image, if one is bad and the policy is `fail`, or if nothing is left.
    """
    if not len(dataset):
        raise DataError(f"data set '{dataset.name}' has no images")
    found = scan(dataset.images, store, jobs, progress)
    bad = [i for i, reason in enumerate(found.reasons) if reason]
    skipped = [{"id": dataset.images.ids[i], "reason": found.reasons[i]} for i in bad]
    if skipped and on_bad_image == "fail":
        raise DataError(_bad_images(skipped, len(dataset)))
    if len(skipped) == len(dataset):
        raise DataError(
            [f"no usable image in data set '{dataset.name}'", *_bad_images(skipped, len(dataset))]
        )
    good = np.setdiff1d(np.arange(len(dataset)), bad)
    kept = Scan([found.tokens[i] for i in good], [""] * len(good), found.sizes[good])
    return dataset[good], kept, skipped


def fingerprint(images: Images, tokens: Sequence[str], labels: np.ndarray) -> str:
    """16 hexadecimal digits for the ids, the contents and the labels of a data set."""
    return keys.digest(images.ids, list(tokens), [str(label) for label in labels])[:16]


def _bad_images(skipped: list[dict[str, str]], total: int) -> list[str | Problem]:
    lines: list[str | Problem] = [Problem(bad["reason"], where=bad["id"]) for bad in skipped[:SHOWN]]
    if len(skipped) > SHOWN:
        lines.append(f"… and {len(skipped) - SHOWN} more")
    hint = "`on_bad_image: skip` leaves them out and names them in the result"
    return [*lines, f"{len(skipped):,} of {total:,} images cannot be decoded; {hint}"]


def scan_key(tokens: Sequence[str]) -> str:
    """The key of what was found of images with these content hashes."""
    return keys.digest("scan", keys.images_key(), list(tokens))


def _scan_part(images: Images, store: Store) -> tuple[list[str], list[str], np.ndarray]:
    hashed = [token_of(item) for item in images.items]
    tokens, unread = [token for token, _ in hashed], [reason for _, reason in hashed]
    key = scan_key(tokens)
    found = None if any(unread) else store.read(key)
    if found is not None:
        return tokens, unread, found[0]["sizes"]
    looks = [
        (reason, (0, 0)) if reason else _look(item) for item, reason in zip(images.items, unread, strict=True)
    ]
    reasons = [reason for reason, _ in looks]
    sizes = np.array([size for _, size in looks], np.int32)
    if not any(reasons):
        store.write(key, {"sizes": sizes}, {})
    return tokens, reasons, sizes


def token_of(item: Item) -> tuple[str, str]:
    """The content hash of an image and an empty text, or an empty one and why it cannot be read."""
    try:
        return item.token(), ""
    except BadImage as error:
        return "", str(error)


def _look(item: Item) -> tuple[str, tuple[int, int]]:
    try:
        height, width = item.read().shape[:2]
        return "", (height, width)
    except BadImage as error:
        return str(error), (0, 0)
