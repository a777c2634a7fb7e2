"""The site: built without a warning, no dead link, every page of docs/ in it, public names in the reference."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.support import ROOT, environment
from tests.docs import links

DOCS = ROOT / "docs"
TUTORIALS = [path for path in sorted((DOCS / "tutorials").glob("*.md")) if path.stem != "index"]


def build(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Builds the site, every warning an error."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", *options]
    return subprocess.run(
        [*command, "-d", str(out / "doctrees"), str(DOCS), str(out / "html")],
        capture_output=True, text=True, check=False, env=environment(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site without the answers of the tutorials' cells, which have tests of their own."""
    out = tmp_path_factory.mktemp("site")
    done = build(out, "-D", "nb_execution_mode=off")
    assert done.returncode == 0, done.stderr
    return out / "html"


def test_links(site: Path) -> None:
    pages = links.read(site)
    assert len(pages) > 20
    assert list(links.dead(pages)) == []
    outside = links.external(pages)
    assert [link for link in outside if links.malformed(link)] == []


def test_a_dead_link_is_seen(tmp_path: Path) -> None:
    (tmp_path / "b.html").write_text('<p id="there">x</p>', "utf-8")
    (tmp_path / "a.html").write_text(
        '<a href="b.html#there">1</a><a href="b.html#gone">2</a><img src="gone.png"><a href="https://x">3</a>', "utf-8"
    )
    pages = links.read(tmp_path)
    assert list(links.dead(pages)) == ["a.html: b.html#gone: no such anchor", "a.html: gone.png: no such file"]
    assert [link for link in links.external(pages) if links.malformed(link)] == ["https://x"]
    assert links.main(tmp_path) == 1


def test_every_page_is_there(site: Path) -> None:
    for source in DOCS.rglob("*.md"):
        assert (site / source.relative_to(DOCS).with_suffix(".html")).is_file(), source


def test_tutorials_can_be_had_as_notebooks(site: Path) -> None:
    import nbformat

    for source in TUTORIALS:
        notebook = nbformat.read(site / "tutorials" / f"{source.stem}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(notebook)
        assert [cell for cell in notebook.cells if cell.cell_type == "code"], source


def test_public_names_stand_in_the_reference(site: Path) -> None:
    import tagline.evaluate
    import tagline.spark
    from tagline import errors, records

    wanted = {f"tagline.{name}" for name in ("load", "pipeline")}
    wanted |= {f"tagline.evaluate.{name}" for name in tagline.evaluate.__all__}
    wanted |= {f"tagline.spark.{name}" for name in tagline.spark.__all__}
    for module in (errors, records):
        wanted |= {
            f"{module.__name__}.{name}" for name, value in vars(module).items()
            if isinstance(value, type) and value.__module__ == module.__name__
        }  # fmt: skip
    pages = links.read(site / "reference")
    assert wanted <= set().union(*(page.names for page in pages.values()))


@pytest.mark.slow
def test_site_with_the_answers_of_the_tutorials(tmp_path: Path) -> None:
    done = build(tmp_path, "-D", f"nb_execution_cache_path={tmp_path / 'cache'}")
    assert done.returncode == 0, done.stderr
    assert list(links.dead(links.read(tmp_path / "html"))) == []
    for source in TUTORIALS:
        text = (tmp_path / "html" / "tutorials" / f"{source.stem}.html").read_text("utf-8")
        assert "_images/" in text, source
