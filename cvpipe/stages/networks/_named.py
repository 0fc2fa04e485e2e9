"""A network by its word: what stages with one share, whatever they do with it."""

from __future__ import annotations

from typing import Any

from cvpipe.stage import Stage


class NamedNet(Stage):
    """A stage with an option `net`, and maybe with `options` of that or `weights` from elsewhere.

    Source: Russakovsky et al., "ImageNet large scale visual recognition challenge", International Journal of Computer
    Vision 2015 (learned_from: imagenet).
    """

    net: str = "simple_cnn"

    def built_from(self) -> list[str]:
        """The module of a network of the user's."""
        from cvpipe.nets.own import module_of

        return module_of(self.net)

    def sources(self) -> list[str]:
        """Also where the network comes from."""
        from cvpipe.nets.documentation import documentation

        return [*super().sources(), *documentation(self.net)]

    def choices(self) -> dict[str, Any]:
        """Also the options of the network, and what published weights learned from."""
        from cvpipe.nets.table import NETS

        usual = NETS[self.net].defaults if self.net in NETS else {}
        weights = getattr(self, "weights", "none")
        published = weights in ("lite0", "timm") or ".IMAGENET" in weights
        learned = {"learned_from": "imagenet" if published else "these images"}
        return {**usual, **(getattr(self, "options", None) or {}), **learned, **super().choices()}
