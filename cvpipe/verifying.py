"""What `cvpipe verify` calls: a run's folder in, and whether the same run gives the same numbers again."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from cvpipe.api import loaded_data, run
from cvpipe.comparison.repeated import Repeat, compare_repeat, data_changes
from cvpipe.comparison.run_files import RunFiles, read_run
from cvpipe.conductor import workers
from cvpipe.conductor.progress import Progress
from cvpipe.conductor.scan import fingerprint, usable
from cvpipe.conductor.store import Nowhere
from cvpipe.device import Device
from cvpipe.errors import DataError, SpecError
from cvpipe.spec import Spec, load_spec


def verify(
    folder: str | Path,
    *,
    out: str | Path | None = None,
    jobs: int | None = None,
    device: Device | None = None,
    progress: Progress | None = None,
) -> Repeat:
    """Run again what a run's folder tells, without the cache, and compare every prediction.

    The new run is kept in `out`, or nowhere. `device` is that of the run unless given. Raises `DataError` for a
    damaged run and for data that have changed since; then nothing is run.
    """
    before = read_run(folder)
    if not before.spec:
        raise DataError("the pipeline was made in Python: there is no spec to run again", where=str(folder))
    if out and Path(out).resolve() == Path(folder).resolve():
        raise SpecError("--out is the run itself; it would be overwritten", where=str(out))
    try:
        spec = load_spec(Path(folder) / "spec.yaml")
    except SpecError as error:  # no mistake in what the user wrote: the run is no longer whole
        raise DataError(error.problems) from error
    listener = progress or Progress()
    _same_data(before, spec, workers.count(jobs), listener)
    used = device or before.summary["environment"].get("device", "auto")
    with contextlib.ExitStack() as stack:
        place = out or stack.enter_context(tempfile.TemporaryDirectory(prefix="cvpipe-verify-"))
        run(spec, out=place, jobs=jobs, device=used, smoke=before.smoke, cache=False, progress=listener)
        return compare_repeat(before, read_run(place))


def _same_data(before: RunFiles, spec: Spec, jobs: int, progress: Progress) -> None:
    """Raises `DataError` if the images or labels are no longer those that the run saw."""
    dataset, _ = loaded_data(spec, before.smoke)
    data, scan, _ = usable(dataset, spec.on_bad_image, Nowhere(), jobs, progress)
    then, now = before.summary["data"]["fingerprint"], fingerprint(data.images, scan.tokens, data.labels)
    if now != then:
        what = data_changes(before, data.images.ids)
        raise DataError(
            f"the data have changed since: {what} (fingerprint {then}, now {now})", str(before.folder)
        )
