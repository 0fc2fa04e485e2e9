"""A CSV file that says which images are for training and which for testing."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from cvpipe.errors import DataError, Problem, did_you_mean, listed

SHOWN = 20
"""Problems that are printed; the rest is a number."""
SEARCHED = 5000
"""Most ids among which a near one is searched, which takes about 50 us for each."""
NUMBERS = ("repeat", "fold")
"""Optional columns that number the splits of one file."""

Key = tuple[int, ...]


def shown(problems: list[Problem]) -> list[Problem]:
    """The first problems, and how many more there are."""
    more = len(problems) - SHOWN
    return problems[:SHOWN] + ([Problem(f"and {more} more problems of this kind")] if more > 0 else [])


@dataclass
class SplitTable:
    """What a split file says: `sides[key]` is (n,) `train`, `test` or empty; one key for each split."""

    path: Path
    ids: list[str]
    """Of the data set, in its order."""
    skipped: Collection[str]
    """Ids that were left out of the data set and may stand in the file."""
    sides: dict[Key, np.ndarray] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def read(self) -> dict[Key, np.ndarray]:
        """The splits, sorted by their numbers. Raises `DataError` with all problems, line by line."""
        row_of = {name: row for row, name in enumerate(self.ids)}
        header, rows = self._records()
        columns = self._columns(header)
        for line, record in rows if columns else []:
            if len(record) != len(header):
                self._problem(line, f"{len(record)} fields, the header has {len(header)}")
                continue
            self._take(line, {name: record[at].strip() for name, at in columns.items()}, row_of)
        if not rows and not self.problems:
            self._problem(1, "no images listed below the header")
        if self.problems:
            raise DataError(shown(self.problems))
        return dict(sorted(self.sides.items()))

    def _problem(self, line: int, message: str) -> None:
        self.problems.append(Problem(message, f"{self.path}:{line}"))

    def _records(self) -> tuple[list[str], list[tuple[int, list[str]]]]:
        """The header and the numbered records, blank lines left out."""
        try:
            reader = csv.reader(io.StringIO(self.path.read_text(encoding="utf-8-sig"), newline=""))
            records = [(reader.line_num, record) for record in reader if any(record)]
        except OSError as error:
            raise DataError(
                f"cannot read the split file: {error.strerror or error}", str(self.path)
            ) from error
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"the split file is not CSV text in UTF-8: {error}", str(self.path)) from error
        if not records:
            raise DataError("the split file is empty; it needs the columns id, split", str(self.path))
        return [word.strip().lower() for word in records[0][1]], records[1:]

    def _columns(self, header: list[str]) -> dict[str, int]:
        """Where each known column stands; empty if one is missing or stands there twice."""
        lacking = [name for name in ("id", "split") if name not in header]
        twice = [name for name in ("id", "split", *NUMBERS) if header.count(name) > 1]
        if lacking:
            got = listed(header, "and")
            self._problem(
                1, f"no column {listed(lacking, 'and')}; the columns are {got}, needed are id and split"
            )
        if twice:
            self._problem(1, f"column {listed(twice, 'and')} stands there twice")
        names = [name for name in ("id", "split", *NUMBERS) if name in header]
        return {} if lacking or twice else {name: header.index(name) for name in names}

    def _take(self, line: int, record: dict[str, str], row_of: dict[str, int]) -> None:
        """Note one record, or what is wrong with it."""
        name, side = record["id"], record["split"].lower()
        wrong = len(self.problems)
        numbers = [self._number(line, column, record[column]) for column in NUMBERS if column in record]
        if side not in ("train", "test"):
            near = did_you_mean(side, ("train", "test"))
            self._problem(line, f"split is '{record['split']}', allowed are train and test{near}")
        if name not in row_of and name not in self.skipped:
            self._problem(line, f"the data have no image '{name}'{self._near(name)}")
        if wrong < len(self.problems):
            return
        sides = self.sides.setdefault(tuple(numbers), np.full(len(self.ids), "", dtype="<U5"))
        if name not in row_of:
            return
        if sides[row_of[name]]:
            self._problem(line, f"image '{name}' is listed twice in one split")
        sides[row_of[name]] = side

    def _number(self, line: int, column: str, value: str) -> int:
        try:
            return int(value)
        except ValueError:
            self._problem(line, f"{column} is '{value}', not a whole number")
            return 0

    def _near(self, name: str) -> str:
        """The likely id: the same file in another folder, else the nearest spelling."""
        if len(self.problems) >= SHOWN:
            return ""
        file = PurePosixPath(name).name
        same = [i for i in self.ids if PurePosixPath(i).name == file]
        if len(same) == 1:
            return f" (did you mean '{same[0]}'?)"
        return did_you_mean(name, same or self.ids) if len(self.ids) <= SEARCHED else ""
