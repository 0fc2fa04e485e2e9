"""What an audit means for whoever wants to compare pipelines on the data, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cvpipe.audit.findings import Audit
from cvpipe.errors import listed

LOPSIDED = 5.0
"""Images of the largest class for one of the smallest, above which accuracy says little about the small ones."""
FEW = 5
"""Images that a class needs for the usual five folds."""
SHOWN = 3
"""Examples in one warning."""


def warnings_about(audit: Audit) -> Iterator[str]:
    """The warnings, the gravest first: one line for each kind of trouble."""
    yield from _unreadable(audit)
    yield from _labels(audit)
    yield from _across(audit)
    yield from _copies(audit)
    yield from _classes(audit)


def _unreadable(audit: Audit) -> Iterator[str]:
    if audit.unreadable:
        names = [f"'{bad['id']}' ({bad['reason']})" for bad in audit.unreadable]
        what = _counted(len(names), "image cannot be decoded", "images cannot be decoded")
        yield f"{what}: {_some(names)}; mend or remove them, or run with `on_bad_image: skip`"


def _labels(audit: Audit) -> Iterator[str]:
    if audit.contradicting:
        sets = [" = ".join(map(_quoted, ids)) for ids in audit.contradicting]
        what = _counted(len(sets), "image carries", "images carry")
        yield f"{what} more than one class: {_some(sets)}; decide which is right"


def _across(audit: Audit) -> Iterator[str]:
    if audit.across:
        what = _counted(len(audit.across), "test image equals a", "test images equal")
        yield (
            f"{what} training image{'s' * (len(audit.across) > 1)} in split {audit.split}: "
            f"{_pairs(audit.across, '=')}; move them to one side, or give both one `group` in a CSV file"
        )
    if audit.alike_across:
        what = _counted(len(audit.alike_across), "test image looks like a", "test images look like")
        yield (
            f"{what} training image{'s' * (len(audit.alike_across) > 1)} in split {audit.split}: "
            f"{_pairs(audit.alike_across, '~')}; look at them, and where they show the same give both one `group` "
            "in a CSV file"
        )


def _pairs(pairs: Sequence[Sequence[str]], sign: str) -> str:
    return _some([f"'{test}' {sign} '{train}'" for test, train in pairs])


def _copies(audit: Audit) -> Iterator[str]:
    if agreeing := [ids for ids in audit.equal if ids not in audit.contradicting]:
        sets = [" = ".join(map(_quoted, ids)) for ids in agreeing]
        what = _counted(len(sets), "set of equal images", "sets of equal images")
        yield (
            f"{what}: {_some(sets)}; copies of one class stay on one side of a drawn split, if the class has enough "
            "different images, but count twice"
        )
    if audit.alike and not audit.alike_across:
        sets = [" ~ ".join(map(_quoted, ids)) for ids in audit.alike]
        what = _counted(len(sets), "set of images looks", "sets of images look")
        yield (
            f"{what} alike: {_some(sets)}; look at them, and if they show the same give each set one `group` "
            "in a CSV file, or a split may part them"
        )


def _classes(audit: Audit) -> Iterator[str]:
    counts = sorted(audit.classes.items(), key=lambda item: item[1])
    if len(counts) < 2:
        yield f"there is {'one class only' if counts else 'no image'}; a classifier needs at least two classes"
        return
    few = [f"'{name}' has {count}" for name, count in counts if count < FEW]
    if few:
        what = _counted(len(few), "class has", "classes have")
        yield f"{what} fewer than {FEW} images: {_some(few)}; add images, or leave such classes out"
    (small, least), (large, most) = counts[0], counts[-1]
    if most > LOPSIDED * least and not few:
        yield (
            f"class '{large}' has {most / least:.0f} times as many images as '{small}' ({most:,} and {least:,}): "
            "read balanced_accuracy or macro_f1 rather than accuracy"
        )


def _some(examples: Sequence[str]) -> str:
    """The first examples, and how many more there are."""
    short = [text if len(text) <= 200 else f"{text[:200]}…" for text in examples]
    more = [f"{len(short) - SHOWN:,} more"] if len(short) > SHOWN else []
    return listed([*short[:SHOWN], *more], "and")


def _counted(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def _quoted(name: str) -> str:
    return f"'{name}'"
