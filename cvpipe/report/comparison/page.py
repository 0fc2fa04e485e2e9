"""The page: sections that stand as they are, and data for the script that sorts, filters and sets two side by side."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cvpipe.comparison.result import Comparison
from cvpipe.data import Images
from cvpipe.errors import CvpipeError, RunError
from cvpipe.files import write_whole
from cvpipe.report.comparison import curves, leaderboard, pairs, ranks, tradeoff
from cvpipe.report.comparison.answers import drawn_classes, payload
from cvpipe.report.comparison.disagreements import chosen
from cvpipe.report.comparison.feature_map import maps_of
from cvpipe.report.comparison.pictures import Pictures
from cvpipe.report.html import environment
from cvpipe.report.words import plain

FILE = "comparison.html"
SECTIONS: tuple[Callable[[Comparison], dict[str, Any] | None], ...] = (
    leaderboard.section,
    tradeoff.section,
    pairs.section,
    ranks.section,
    curves.section,
)


def write_comparison(comparison: Comparison, folder: Path, pictures: Pictures | None = None) -> None:
    """Write the page into a folder, whole or not at all; `pictures` as for `render`. Raises `RunError`."""
    try:
        write_whole(folder / FILE, render(comparison, pictures))
    except OSError as error:
        raise RunError(f"cannot write the results: {error.strerror}", where=str(folder)) from error


def render(comparison: Comparison, pictures: Pictures | None = None) -> str:
    """The page as text. `pictures` are of the data set; by default its images are found through a candidate's spec, and
    where they are gone the page has no pictures."""
    ranked = comparison.ranked
    maps = maps_of(comparison)
    places = chosen(ranked)
    answers = next((c.answers for c in ranked if c.answers is not None), None)
    shown = [str(name) for name in answers.ids[places]] if answers is not None else []
    wanted = list(dict.fromkeys([*shown, *(name for one in maps for name in one["ids"])]))
    thumbs, sprite = (pictures or Pictures(_images_of(comparison))).of(wanted)
    sections = [content for make in SECTIONS if (content := make(comparison))]
    sections += _by_script(comparison, maps, bool(shown))
    sections.append(_provenance(comparison))
    script = (Path(__file__).parent / "comparison.js").read_text(encoding="utf-8")
    return (
        environment()
        .get_template("comparison/comparison.html")
        .render(
            comparison=comparison,
            best=ranked[0] if ranked else None,
            sections=sections,
            sprite=sprite,
            data=_embedded(payload(comparison, places, thumbs, maps)),
            script=script,
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            split=plain(comparison.split),
            when=comparison.environment.get("when", ""),
        )
    )


def _embedded(data: dict[str, Any]) -> str:
    """JSON that may stand inside an element: no `<` that could end it."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _images_of(comparison: Comparison) -> Images | None:
    """The images of the data set; None if they are no longer there."""
    from cvpipe.spec import load_spec

    try:
        return load_spec(comparison.candidates[0].spec).data.load().images
    except (CvpipeError, OSError, IndexError):
        return None


def _by_script(comparison: Comparison, maps: list[dict[str, Any]], pictures: bool) -> list[dict[str, Any]]:
    """What the script fills: two candidates side by side, and the map."""
    ranked = comparison.ranked
    classes = [str(name) for name in comparison.data["class_names"]]
    sections = []
    if len(ranked) > 1:
        kept = len(drawn_classes(ranked, len(classes)))
        sections.append({
            "id": "two", "title": "Two side by side", "template": "comparison/two.html",
            "names": [c.name for c in ranked], "classes": classes, "pictures": pictures,
            "cut": kept if kept < len(classes) else 0,
        })  # fmt: skip
    if maps:
        sections.append({
            "id": "map-section", "title": "Map of the features", "template": "comparison/feature_map.html",
            "maps": maps, "classes": classes, "tsne": True,
        })  # fmt: skip
    return sections


def _provenance(comparison: Comparison) -> dict[str, Any]:
    return {
        "id": "provenance",
        "title": "Where this comes from",
        "template": "comparison/provenance.html",
        "facts": [
            ("Data", comparison.data["name"]),
            ("Fingerprint of the data", comparison.data["fingerprint"]),
            ("Split", plain(comparison.split)),
            ("Seed", str(comparison.seed)),
            ("Ranked by", comparison.metric),
        ],
        "environment": [
            (key.replace("_", " "), plain(value)) for key, value in comparison.environment.items()
        ],
        "runs": [(c.name, f"runs/{c.name}/report.html") for c in comparison.ranked if c.folder],
        "folder": comparison.folder,
        "stages": [(c.name, c.costs.stages) for c in comparison.ranked if c.costs],
    }
