"""BibTeX of exactly the methods that a pipeline uses.

Each class names its papers after `Source:` in its docstring; that is all a new stage has to do. A paper that only one
value of an option is built on says so: `Authors, "Title", Venue year (kernel: chi2)`. What several stages share names
its own, and so does a network. Where `references.bib`
has an entry of the same title, which tells full names and pages, that one is given.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cvpipe
from cvpipe.configurable import Configurable, parts_of

REFERENCE = re.compile(
    r"(?P<authors>[^;\"]+?),? \"(?P<title>[^\"]+?),?\",? ?(?P<venue>[^;\"]*?),? ?(?P<year>(?:19|20)\d\d)"
)
ENTRY = re.compile(r"^@\w+\{\w+,\n(?:.+\n)+?\}$", re.MULTILINE)
PART = r"(?:sections?|equations?|appendix|chapters?|pages?)"
PLACE = re.compile(
    rf"^[,:]? *(?P<place>{PART} [\dIVX][\dIVXa-z.]*(?:(?:,| to| and) (?:{PART} )?[\dIVX][\dIVXa-z.]*)*(?<!\.))"
)
ONLY = re.compile(r"\((?P<option>\w+): (?P<values>[^)]+)\)")
"""`(kernel: chi2, rbf)`: what a paper is for; of a list, the names in it."""
ABOVE_0 = "above 0"
"""The same of a number: `(label_smoothing: above 0)`."""
MEETINGS = re.compile(
    r"\b(CVPR|ICCV|ECCV|BMVC|ICML|NIPS|NeurIPS|ICLR|AISTATS|ICPR|ICIP|ICASSP|AAAI|KDD|ICANN|ACL|Conference|Workshop|workshop|"
    r"Multimedia|SPIE|Storage)\b"
)
"""Words that tell a meeting from a journal."""
SMALL_WORDS = {"a", "an", "the", "on", "in", "of", "for", "and", "with", "to", "some", "all"}


@dataclass(frozen=True)
class Reference:
    """One paper, as a docstring names it."""

    authors: tuple[str, ...]
    """Family names; the last is `others` where there are more."""
    title: str
    venue: str
    """Journal, meeting or edition; may be empty."""
    year: int
    place: str = ""
    """`section 3.2`: which part of it the method is; may be empty."""
    only: tuple[str, ...] = ()
    """An option and the values that the paper is for; empty if it is for all."""

    @property
    def key(self) -> str:
        """`lowe2004distinctive`."""
        words = [w for w in re.findall(r"[a-z0-9]+", self.title.lower()) if w not in SMALL_WORDS]
        family = re.sub(r"[^a-z]", "", self.authors[0].lower())
        return f"{family}{self.year}{words[0] if words else ''}"


def references_in(docstring: str) -> list[Reference]:
    """The papers in the paragraph after `Source:`; those without a title in quotation marks are left out."""
    _, found, rest = docstring.partition("Source:")
    text = " ".join(rest.split("\n\n")[0].split()) if found else ""
    return [_reference(match, text[match.end() :].split(";")[0]) for match in REFERENCE.finditer(text)]


def _reference(match: re.Match[str], rest: str) -> Reference:
    """From the match and what stands after it, up to the next paper."""
    place, only = PLACE.match(rest), ONLY.search(rest)
    return Reference(
        _authors(match["authors"]),
        match["title"],
        match["venue"].strip(" ,"),
        int(match["year"]),
        place["place"] if place else "",
        (only["option"], *only["values"].split(", ")) if only else (),
    )


def _authors(text: str) -> tuple[str, ...]:
    """`weights: Freund & Schapire` -> Freund, Schapire; `Fan et al.` -> Fan, others."""
    text = re.sub(r"^[^A-Z]*[.)] ", "", text.rsplit(": ", 1)[-1].strip())
    names = re.split(r", | & | and ", text.replace(" et al.", ", others"))
    return tuple(name.strip(" ,.") for name in names if name.strip(" ,."))


def bibtex(parts: Iterable[Configurable], tests: Iterable[str] = ()) -> str:
    """Entries for all that these stages and data sets, and their parts, are built on, each once and with its users,
    after one for cvpipe itself. `tests` are modules of `cvpipe.statistics`."""
    users: dict[str, tuple[Reference, list[str]]] = {}
    silent: list[str] = []
    for name, papers in [*_of_parts(parts), *_of_tests(tests)]:
        silent += [] if papers else [name]
        for paper in papers:
            _, words = users.setdefault(_plain(paper.title), (paper, []))
            word = f"{name} ({paper.place})" if paper.place else name
            words += [word] if word not in words else []
    entries = [_cvpipe()]
    entries += [f"% {', '.join(words)}\n{entry_of(paper)}" for paper, words in users.values()]
    entries += [f"% {', '.join(dict.fromkeys(silent))}: no paper is named"] if silent else []
    return "\n\n".join(entries) + "\n"


def _of_parts(parts: Iterable[Configurable]) -> Iterator[tuple[str, list[Reference]]]:
    """The word for each stage or data set, and the papers of what it does with its options."""
    for thing in _all_parts(parts):
        papers = [paper for text in thing.sources() for paper in references_in(text)]
        yield thing.name, [paper for paper in papers if _is_used(paper, thing.choices())]


def _of_tests(names: Iterable[str]) -> Iterator[tuple[str, list[Reference]]]:
    for name in names:
        module = importlib.import_module(f"cvpipe.statistics.{name}")
        yield name, references_in(module.__doc__ or "")


def _is_used(paper: Reference, choices: Mapping[str, Any]) -> bool:
    option, *values = paper.only or ("",)
    if option not in choices:  # a remark in parentheses
        return True
    chosen = choices[option]
    if values == [ABOVE_0]:
        return chosen > 0
    words = (
        [name for item in chosen for name in ([item] if isinstance(item, str) else item)]
        if isinstance(chosen, list | tuple)
        else [str(chosen).lower()]
    )
    return not {value.lower() for value in values}.isdisjoint(words)


def _all_parts(things: Iterable[Configurable]) -> Iterator[Configurable]:
    for thing in things:
        yield thing
        for value in thing.get_params(deep=False).values():
            yield from _all_parts(parts_of(value))


def entry_of(paper: Reference) -> str:
    """The entry in `references.bib`, or what the docstring tells."""
    known = shipped_entries().get(_plain(paper.title))
    if known:
        return re.sub(r"^@(\w+)\{\w+,", rf"@\1{{{paper.key},", known)
    fields = {"author": " and ".join(paper.authors), "title": f"{{{paper.title}}}"}
    kind = "misc"
    if "edition" in paper.venue:
        kind, fields["edition"] = "book", paper.venue.replace(" edition", "")
    elif MEETINGS.search(paper.venue):
        kind, fields["booktitle"] = "inproceedings", paper.venue
    elif paper.venue:
        kind, fields["journal"] = "article", paper.venue
    return _entry(kind, paper.key, fields | {"year": str(paper.year)})


@cache
def shipped_entries() -> dict[str, str]:
    """Entries of `references.bib` by title, in small letters and digits."""
    text = (Path(__file__).parent / "references.bib").read_text(encoding="utf-8")
    return {_plain(field(entry, "title")): entry for entry in ENTRY.findall(text)}


def field(entry: str, name: str) -> str:
    """The value of a field of a BibTeX entry, without braces; an empty string if it has none."""
    match = re.search(rf"^  {name} = \{{(.*)\}},?$", entry, re.MULTILINE)
    return re.sub(r"[{}]", "", match[1]) if match else ""


def _plain(title: str) -> str:
    return re.sub(r"[^a-z0-9]", "", title.lower())


def _cvpipe() -> str:
    about = {"author": "{The cvpipe developers}", "title": "{cvpipe}", "version": cvpipe.__version__}
    return _entry("software", "cvpipe", about)


def _entry(kind: str, key: str, fields: Mapping[str, str]) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])
