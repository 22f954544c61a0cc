"""`python -m hub.catalogue FOLDER`, which `make docs` runs: writes the sources of the site, for Sphinx to build."""

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import click

from hub.catalogue.openapi import document
from hub.catalogue.pages import catalogue, pages
from hub.catalogue.written import indexes, written
from hub.cli.messages import installed

SETTINGS = Path(__file__).parent / "site" / "conf.py"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--root", type=click.Path(path_type=Path, exists=True), default=Path(), help="The checkout whose Markdown is taken.")
def main(folder: Path, root: Path) -> None:
    """Write the sources of the catalogue site into FOLDER: a page for each interface, and all Markdown of the checkout."""
    known = catalogue(installed())
    of_people = written(root)
    made = {**dict(pages(known)), **of_people, **dict(indexes(of_people))}
    shutil.rmtree(folder, ignore_errors=True)
    for page, text in made.items():
        path = folder / f"{page}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copyfile(SETTINGS, folder / "conf.py")
    samples = {one.operation.name: known.messages.document(one.request) for one in known.recorded if one.marked}
    face = document(known.messages.contracts, version=version("metip"), samples=samples)
    (folder / "openapi.json").write_text(json.dumps(face, ensure_ascii=False), encoding="utf-8")
    click.echo(f"{folder}: {len(made)} pages, {len(known.offered)} of them of interfaces")


if __name__ == "__main__":
    main()
