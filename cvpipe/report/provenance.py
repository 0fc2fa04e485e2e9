"""Where the numbers come from, and how to get them and the model again."""

from __future__ import annotations

from typing import Any

from cvpipe.conductor.result import RunResult
from cvpipe.report.words import plain


def section(result: RunResult) -> dict[str, Any] | None:
    """Fingerprint, seed, split, the resolved spec and the environment."""
    from cvpipe.spec import dump

    return {
        "id": "provenance",
        "title": "Repeat and use",
        "template": "provenance.html",
        "facts": [
            ("Data", result.dataset.name),
            ("Fingerprint of the data", result.fingerprint),
            ("Split", plain(result.split)),
            ("Seed", str(result.seed)),
            ("Model trained on", result.trained_on),
        ],
        "environment": [(key.replace("_", " "), plain(value)) for key, value in result.environment.items()],
        "spec": dump(result.spec) if result.spec else "",  # stages written in Python have none
    }
