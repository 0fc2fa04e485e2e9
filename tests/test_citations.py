"""`cvpipe cite`: BibTeX of exactly the methods used, from what docstrings name."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from comparisons import small_comparison
from cvpipe_cli.main import main

from cvpipe import registry
from cvpipe.data import Features
from cvpipe.datasets.torchvision import Torchvision
from cvpipe.nets.documentation import documentation
from cvpipe.nets.table import NETS
from cvpipe.report.citations import Reference, bibtex, entry_of, field, references_in, shipped_entries
from cvpipe.report.cited import TESTS_BY_NAME, cited
from cvpipe.spec import build_stage, shipped_specs
from cvpipe.stage import Stage

ENTRY = re.compile(r"@(\w+)\{([\w]+),\n((?:  \w+ = \{.*\},\n)+)\}")


TESTS = sorted({*TESTS_BY_NAME.values(), "holm", "nemenyi", "bayes", "effect_size"})
"""Modules of `cvpipe.statistics`."""
MADE = {word: build_stage(word) for word in registry.stage_names() if word != "frozen"}
"""Every stage that has a default for each option."""
NEEDED = {
    "article": ("title", "journal", "volume", "pages", "year"),
    "book": ("title", "publisher", "year"),
    "phdthesis": ("title", "school", "year"),
}
"""Fields without which an entry is not complete."""


def papers_of_test(name: str) -> list[Reference]:
    return references_in(importlib.import_module(f"cvpipe.statistics.{name}").__doc__ or "")


def cite(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["cite", *map(str, arguments)])


def keys(text: str) -> list[str]:
    return [key for _, key, _ in ENTRY.findall(text)]


def test_a_docstring_is_read() -> None:
    text = """First line.

    Source: sum; Lowe, "Distinctive image features from
    keypoints", IJCV 2004, sections 3 to 6; weights: Fan et al., "A: b", JMLR 2008 (kernel:
    chi2, rbf); Rey Otero &
    Delbracio, "Anatomy", 2014.

    Another paragraph, "Not cited", ICCV 1999.
    """
    assert references_in(text) == [
        Reference(("Lowe",), "Distinctive image features from keypoints", "IJCV", 2004, "sections 3 to 6"),
        Reference(("Fan", "others"), "A: b", "JMLR", 2008, "", ("kernel", "chi2", "rbf")),
        Reference(("Rey Otero", "Delbracio"), "Anatomy", "", 2014),
    ]  # fmt: skip
    assert references_in("No source.") == []


@pytest.mark.parametrize(
    ("rest", "place"),
    [
        (", sections 3 to 6.", "sections 3 to 6"),
        (", section 4, equation 17;", "section 4, equation 17"),
        (", section III and appendix I.", "section III and appendix I"),
        (", section 2, keeps all covariances.", "section 2"),
        (", sections 3.1 and 3.2.", "sections 3.1 and 3.2"),
        (": a remark", ""),
        (" (chi2).", ""),
    ],
)
def test_the_place_in_a_paper(rest: str, place: str) -> None:
    (paper,) = references_in(f'Source: Lowe, "A title", IJCV 2004{rest}')
    assert paper.place == place


@pytest.mark.parametrize("word", registry.stage_names())
def test_every_stage_names_a_paper_that_can_be_cited(word: str) -> None:
    papers = references_in(inspect.getdoc(registry.stage_class(word)) or "")
    assert papers, 'after `Source:`: Authors, "Title", Venue year, section'
    for paper in papers:
        assert all(
            name[0].isupper() or name.split()[0] in ("de", "van", "von", "others") for name in paper.authors
        )
        assert 1900 < paper.year < 2030
        assert re.fullmatch(r"[a-z]+\d{4}[a-z0-9]+", paper.key)
        assert ENTRY.fullmatch(entry_of(paper))


def test_full_entries_agree_with_the_docstrings() -> None:
    papers = [paper for word in registry.dataset_names()
              for paper in references_in(inspect.getdoc(registry.dataset_class(word)) or "")]  # fmt: skip
    texts = [text for stage in MADE.values() for text in stage.sources()]
    texts += [text for net in NETS for text in documentation(net)]
    papers += [paper for text in texts for paper in references_in(text)]
    papers += [paper for name in TESTS for paper in papers_of_test(name)]
    by_title = {re.sub(r"[^a-z0-9]", "", paper.title.lower()): paper for paper in papers}
    for title, entry in shipped_entries().items():
        paper = by_title[title]  # none is left over
        assert field(entry, "year") == str(paper.year)
        first = re.sub(r"\\.", "", field(entry, "author").split(",")[0])
        assert re.sub(r"[^a-z]", "", first.lower()) == re.sub(r"[^a-z]", "", paper.authors[0].lower())


@pytest.mark.parametrize("name", shipped_specs())
def test_every_shipped_spec_can_be_cited(name: str) -> None:
    done = cite(name)
    assert done.exit_code == 0
    found = keys(done.stdout)
    assert found[0] == "cvpipe"
    assert len(found) > 1
    assert len(set(found)) == len(found)
    assert done.stdout.count("{") == done.stdout.count("}")


@pytest.mark.parametrize("name", TESTS)
def test_papers_of_statistical_tests_are_cited_in_full(name: str) -> None:
    for paper in papers_of_test(name):
        entry = entry_of(paper)
        kind = entry[1 : entry.index("{")]
        others = "others" in paper.authors
        people = field(entry, "author").split(" and ")
        assert all("," in person for person in people), entry  # full names
        assert others or len(people) == len(paper.authors)
        missing = [name for name in NEEDED[kind] if not field(entry, name)]
        assert not missing, entry
        if kind == "article":
            assert re.fullmatch(r"\d+--\d+", field(entry, "pages"))
            assert field(entry, "volume").isdecimal()
        doi = field(entry, "doi")
        assert not doi or re.fullmatch(r"10\.\d{4}/\S+", doi)


@pytest.mark.parametrize("name", TESTS)
def test_every_statistical_test_names_a_paper(name: str) -> None:
    found = keys(bibtex([], [name]))
    assert len(found) > 1
    assert f"% {name}" in bibtex([], [name])
    authors = [author for paper in papers_of_test(name) for author in paper.authors]
    assert all(author[0].isupper() or author == "others" for author in authors), authors


def test_tests_over_pairs_and_splits_cite_their_papers() -> None:
    assert keys(bibtex([], ["mcnemar"]))[1:] == ["mcnemar1947note", "dietterich1998approximate"]
    assert keys(bibtex([], ["friedman"]))[1:] == [
        "friedman1937use",
        "conover1999practical",
        "demsar2006statistical",
    ]


def test_exactly_the_methods_used() -> None:
    assert keys(cite("sift_bow_svm").stdout) == [
        "cvpipe", "coltuc2006exact", "lowe2004distinctive", "arandjelovic2012three", "csurka2004visual",
        "fan2008liblinear", "zhang2007local",
    ]  # fmt: skip


def test_a_paper_of_one_value_of_an_option_is_cited_with_it_only() -> None:
    for word, option, value, key in (
        ("svm", "kernel", "chi2", "zhang2007local"),
        ("svm", "probability", True, "platt1999probabilistic"),
        ("bag_of_words", "assignment", "soft", "vangemert2010visual"),
        ("pca", "whiten", True, "jegou2012negative"),
        ("knn", "votes", "distance", "dudani1976distance"),
    ):
        assert key not in keys(bibtex([build_stage(word)]))
        assert key in keys(bibtex([build_stage(word, {option: value})]))
    assert "arandjelovic2013about" in keys(bibtex([build_stage("vlad")]))
    assert "arandjelovic2013about" not in keys(bibtex([build_stage("vlad", {"intra": False})]))


@pytest.mark.parametrize("word", MADE)
def test_conditions_name_options_and_values_that_there_are(word: str) -> None:
    stage = MADE[word]
    meant: dict[str, Any] = {"true": True, "false": False, "above 0": 0.5}
    for paper in [paper for text in stage.sources() for paper in references_in(text)]:
        option, *values = paper.only or ("",)
        if option and option != "learned_from":
            assert option in stage.parameters()
            for value in values:
                chosen = meant.get(value, value)
                build_stage(word, {option: [chosen] if option == "augment" else chosen})


def test_a_network_is_cited_with_how_it_learns() -> None:
    plain = set(keys(bibtex([build_stage("cnn", {"net": "vgg11"})])))
    assert {"simonyan2015very", "kingma2015adam", "loshchilov2017sgdr"} <= plain
    much = {"net": "resnet18", "optimiser": "nesterov", "schedule": "one_cycle", "augment": ["flip", {"mixup": 0.4}],
            "label_smoothing": 0.1, "initialise": "he"}  # fmt: skip
    assert set(keys(bibtex([build_stage("cnn", much)]))) - plain == {
        "he2016deep", "sutskever2013importance", "smith2019super", "zhang2018mixup", "szegedy2016rethinking",
        "he2015delving",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("word", "options", "key", "cited"),
    [
        ("cnn", {"net": "resnext50"}, "xie2017aggregated", True),
        ("cnn", {"net": "resnet50"}, "xie2017aggregated", False),
        ("cnn", {"net": "lstm_rows"}, "hochreiter1997long", True),
        ("cnn", {"net": "lstm_rows"}, "cho2014learning", False),
        ("cnn", {"net": "lstm_rows", "options": {"cell": "gru"}}, "cho2014learning", True),
        ("cnn", {"net": "zfnet"}, "krizhevsky2012imagenet", False),
        ("cnn", {"net": "fcn8s"}, "long2015fully", True),
        ("cnn", {}, "russakovsky2015imagenet", False),
        ("cnn_features", {}, "russakovsky2015imagenet", True),
        ("cnn_features", {"weights": "none"}, "russakovsky2015imagenet", False),
        ("cnn_features", {"net": "resnet50", "weights": "resnet50.IMAGENET1K_V2"}, "russakovsky2015imagenet", True),
        ("fine_tune", {}, "tan2019efficientnet", True),
    ],
)  # fmt: skip
def test_papers_of_networks(word: str, options: dict[str, Any], key: str, cited: bool) -> None:
    assert (key in keys(bibtex([build_stage(word, options)]))) == cited


@pytest.mark.parametrize("net", NETS)
def test_every_network_names_a_paper(net: str) -> None:
    assert documentation(net) or net in ("mlp", "simple_cnn")
    for paper in [paper for text in documentation(net) for paper in references_in(text)]:
        assert ENTRY.fullmatch(entry_of(paper))
        assert 1980 < paper.year < 2030


def test_a_data_set_of_torchvision_is_cited_by_its_name() -> None:
    def of(name: str) -> list[str]:
        return keys(bibtex([Torchvision(dataset=name, root=".")]))[1:]

    assert of("MNIST") == ["lecun1998gradient"]
    assert of("CIFAR100") == ["krizhevsky2009learning"]
    assert of("Food101") == []


def test_a_paper_of_several_stages_comes_once_with_its_places() -> None:
    text = bibtex([build_stage(word) for word in ("sift", "root_sift", "dog_keypoints", "l1")])
    assert (
        "% sift (sections 3 to 6), dog_keypoints (sections 3 to 5)\n@article{lowe2004distinctive,\n" in text
    )
    assert "% root_sift (section 3), l1 (section 3)\n@inproceedings{arandjelovic2012three,\n" in text


def test_parts_of_stages_are_cited() -> None:
    pyramid = build_stage("spatial_pyramid")
    assert "csurka2004visual" in keys(bibtex([pyramid]))
    assert "lazebnik2006beyond" in keys(bibtex([pyramid]))
    assert {"swain1991color", "ojala2002multiresolution"} <= set(keys(bibtex([build_stage("join")])))


class Nameless(Stage):
    """A stage of somebody's own."""

    def transform(self, batch: Features) -> Features:
        """The same."""
        return batch


class Plugin(Nameless):
    """Another.

    Source: Mustermann, Doe & others, "A method: its theory", Some Journal 2021, section 2.
    """


def test_stages_of_others_need_no_entry() -> None:
    text = bibtex([Nameless(), Plugin(), Nameless()])
    assert text.endswith("% nameless: no paper is named\n")
    assert (
        """% plugin (section 2)
@article{mustermann2021method,
  author = {Mustermann and Doe and others},
  title = {{A method: its theory}},
  journal = {Some Journal},
  year = {2021},
}"""
        in text
    )


def test_a_run_is_cited_like_its_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, class_folders: Callable[..., Path]
) -> None:
    monkeypatch.chdir(tmp_path)
    class_folders({"cat": 8, "dog": 8}, tmp_path / "photos")
    (tmp_path / "small.yaml").write_text(
        "data: {folder: photos}\nsplit: {kfold: 2}\nstages: [raw_pixels, {knn: {k: 1}}]\n"
    )
    assert CliRunner().invoke(main, ["run", "small.yaml", "--quiet", "--out", "out"]).exit_code == 0
    assert cite("out").stdout == cite("small.yaml").stdout
    assert keys(cite("out").stdout)[1:] == [
        "turk1991eigenfaces", "torralba200880", "cover1967nearest"
    ]  # fmt: skip
    wrong = cite("sift_bow_smv")
    assert wrong.exit_code == 2
    assert "did you mean 'sift_bow_svm'?" in wrong.stderr
    (tmp_path / "empty").mkdir()
    nothing = cite("empty")
    assert (nothing.exit_code, nothing.stderr) == (
        3,
        "empty: holds neither a run (spec.yaml) nor a comparison (comparison.json)\n",
    )


def test_a_comparison_is_cited_with_its_tests(tmp_path: Path) -> None:
    comparison = small_comparison()
    (tmp_path / "comparison.json").write_text(json.dumps(comparison.summary()))
    found = keys(cited(tmp_path))
    assert {"lowe2004distinctive", "mcnemar1947note", "nadeau2003inference", "holm1979simple",
            "nemenyi1963distribution", "efron1993introduction"} <= set(found)  # fmt: skip
    assert "alpaydin1999combined" not in found
    assert len(found) == len(set(found))
    comparison.pairs, comparison.many = comparison.pairs[:1], None
    (tmp_path / "comparison.json").write_text(json.dumps(comparison.summary()))
    few = set(keys(cited(tmp_path)))
    assert not {"holm1979simple", "nemenyi1963distribution"} & few
    assert cite(tmp_path).stdout == cited(tmp_path)
    (tmp_path / "comparison.json").write_text("{")
    assert cite(tmp_path).exit_code == 3
