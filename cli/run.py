"""`cvpipe run`: train, time and score a pipeline."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from cvpipe_cli.options import as_json, device, filled, jobs, no_cache, spec_options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@click.command()
@click.argument("spec")
@spec_options
@jobs
@device
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(),
    callback=filled,
    help="Folder for the results; default: runs/NAME/N.",
)
@click.option("--smoke", is_flag=True, help="A few images and small vocabularies: does it run at all?")
@click.option(
    "--refit", is_flag=True, help="Save a model that is trained on all images, not on the first split."
)
@no_cache
@as_json
@click.option("--quiet", is_flag=True, help="Show no progress.")
def run(as_json: bool, quiet: bool, **options: Any) -> None:
    """Train, time and score a pipeline.

    SPEC is a file or the name of a shipped spec.
    Writes result.json, predictions.csv, report.html, spec.yaml, log.txt and the fitted model.
    """
    from cvpipe_cli.errors import goes_on
    from cvpipe_cli.progress import listener

    from cvpipe import api

    with goes_on(cached=not options["no_cache"]), listener(quiet or as_json) as progress:
        result = api.run(
            options["spec"],
            overrides=options["overrides"],
            data=options["data"],
            seed=options["seed"],
            out=options["out"] or True,
            jobs=options["jobs"],
            device=options["device"],
            smoke=options["smoke"],
            refit=options["refit"],
            cache=not options["no_cache"],
            progress=progress,
        )
    if as_json:
        click.echo(json.dumps(result.summary(), indent=2))
    else:
        print_summary(result.summary(), result.folder)


def print_summary(summary: Mapping[str, Any], folder: Path | None) -> None:
    """Data, scores, costs, warnings, and where the files are; `summary` is the content of a `result.json`."""
    from cvpipe_cli.tables import show

    from cvpipe.wording import mean_and_spread, number, split_text

    data = summary["data"]
    sizes = f"{data['images']:,} images, {data['classes']} classes"
    click.echo(f"{summary['name']} on {data['name']}: {sizes}, split {split_text(summary['split'])}")
    if data.get("note"):
        click.echo(f"note: {data['note']}")
    rows = []
    for metric, score in summary["scores"].items():
        low, high = score["ci95"]
        spread = mean_and_spread(f"{score['mean']:.4f}", f"{score['std']:.4f}", len(score["values"]))
        baseline = summary["baseline"][metric]["mean"]
        rows.append((metric, spread, f"{low:.4f} to {high:.4f}", f"{baseline:.4f}"))
    show(["metric", ">mean ± std", ">95 % interval", ">baseline"], rows)
    costs = []
    for cost in summary["stages"]:
        figures = (cost[name] for name in ("fit_s", "transform_s", "images_per_s", "peak_rss_mb"))
        costs.append((cost["name"], *map(number, figures), cost["output"], "yes" if cost["cached"] else "no"))
    show(["stage", ">fit s", ">transform s", ">images/s", ">peak MB", "output", "cached"], costs)
    for warning in summary["warnings"]:
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{summary['total_s']:.1f} s in all; the model is trained on {summary['trained_on']}")
    click.echo(f"written to {folder}: result.json, predictions.csv, report.html, spec.yaml, log.txt, model/")
