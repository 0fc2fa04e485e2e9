"""Images listed in a CSV file, with labels and, if wanted, a split and groups."""

from __future__ import annotations

import csv
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cvpipe.data import Dataset, Images
from cvpipe.datasets._files import as_id
from cvpipe.datasets._source import Source
from cvpipe.errors import DataError, Problem, did_you_mean, listed
from cvpipe.files import user_path
from cvpipe.options import PathText

REQUIRED, OPTIONAL = ("path", "label"), ("split", "group")
SPLIT_WORDS = ("train", "test")
SHOWN = 20  # problems; more scroll the first one off the screen


class Csv(Source):
    """Images listed in a CSV file with the columns path, label and, if wanted, split and group.

    `path` is relative to the file's folder; `split` is `train` or `test` (use `split: {given: true}`); images
    of one `group` are kept on one side of a split. A path that is listed several times is one group unless
    there is a column for groups. Other columns are left out. UTF-8, separated by commas. Images, licence and
    protocol are your own.
    """

    file: PathText  # the CSV file; `~` is the home folder, a relative path starts at the current one

    @property
    def label(self) -> str:
        """The name of the file."""
        return as_id(user_path(self.file).stem) or self.name

    def load(self) -> Dataset:
        """Read the list, no image. Raises `DataError` with the line of every mistake."""
        path = user_path(self.file)
        rows = _rows(path)
        paths = [os.path.normpath(row.path) for row in rows]
        files = [path.parent / p for p in paths]
        twice = len(set(paths)) < len(paths)
        groups = [row.group or p for row, p in zip(rows, paths, strict=True)]
        grouped = twice or any(row.group for row in rows)
        return Dataset(
            as_id(path.stem),
            Images.from_files(files, _unique([as_id(p) for p in paths])),
            np.array([row.label for row in rows]),
            np.array(groups) if grouped else None,
            np.array([row.split for row in rows]) if rows[0].split else None,
        )


@dataclass(frozen=True)
class Row:
    """One line of the file; `split` and `group` are empty if there is no such column."""

    line: int
    path: str
    label: str
    split: str = ""
    group: str = ""


def _rows(file: Path) -> list[Row]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines, skipinitialspace=True, strict=True)
            columns = _columns(next(reader, []), file)
            rows = [_row(reader.line_num, fields, columns, file) for fields in reader if fields]
    except OSError as error:
        raise DataError(f"cannot read the file: {error.strerror}", where=str(file)) from error
    except UnicodeDecodeError as error:
        raise DataError("not a text file in UTF-8", where=str(file)) from error
    except csv.Error as error:
        raise DataError(f"not a CSV file: {error}", where=f"{file}:{reader.line_num}") from error
    if not rows:
        raise DataError("no images are listed, only a header", where=str(file))
    problems = [Problem(text, f"{file}:{row.line}") for row in rows for text in _mistakes(row, columns)]
    if len(problems) > SHOWN:
        problems = [*problems[:SHOWN], Problem(f"and {len(problems) - SHOWN} more problems", str(file))]
    if problems:
        raise DataError(problems)
    return rows


def _columns(found: list[str], file: Path) -> list[str]:
    """The columns that we know. Raises `DataError` for each that is needed and missing."""
    names = [name.strip() for name in found]
    if not names:
        raise DataError(f"the file is empty; its first line is {','.join(REQUIRED)}", where=str(file))
    where, known = f"{file}:1", (*REQUIRED, *OPTIONAL)
    unknown = [name for name in names if name not in known]
    missing = [name for name in REQUIRED if name not in names]
    problems = [Problem(f"no column '{m}'{_nearest(m, unknown)}; the columns are {', '.join(names)}", where)
                for m in missing]  # fmt: skip
    problems += [Problem(f"column '{name}' twice", where) for name in known if names.count(name) > 1]
    if problems:
        raise DataError(problems)
    return names


def _nearest(missing: str, unknown: list[str]) -> str:
    """Says which column may be a misspelt one."""
    same = [name for name in unknown if name.lower() == missing]
    return f" (did you mean '{same[0]}'?)" if same else did_you_mean(missing, unknown)


def _row(line: int, fields: list[str], columns: list[str], file: Path) -> Row:
    if len(fields) > len(columns):
        said = f"{len(fields)} fields, but the first line names {len(columns)} columns"
        raise DataError(f"{said}; put text with a comma between quotation marks", where=f"{file}:{line}")
    values = dict(zip(columns, fields, strict=False))  # each column that counts is there once
    known = {name: values.get(name, "").strip() for name in (*REQUIRED, *OPTIONAL)}
    return Row(line, **known)


def _mistakes(row: Row, columns: list[str]) -> list[str]:
    found = [f"the {name} is empty" for name in REQUIRED if not getattr(row, name)]
    if "split" in columns and row.split not in SPLIT_WORDS:
        near = did_you_mean(row.split, SPLIT_WORDS)
        found.append(f"the split is {listed(SPLIT_WORDS)}, got '{row.split}'{near}")
    return found


def _unique(names: list[str]) -> list[str]:
    """The second of equal names becomes `name#2`, and so on."""
    seen: Counter[str] = Counter()
    taken, unique = set(names), []
    for name in names:
        seen[name] += 1
        new = name if seen[name] == 1 else f"{name}#{seen[name]}"
        while seen[name] > 1 and new in taken:  # a file may really be called so
            seen[name] += 1
            new = f"{name}#{seen[name]}"
        taken.add(new)
        unique.append(new)
    return unique
