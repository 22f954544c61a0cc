#!/bin/sh
# Resolves pyproject.toml for every supported Python into files of exact versions with hashes. No file names where packages come from: that is
# the installer's own setting.
set -e
resolve() { .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate "$@"; }
resolve --group dev --all-extras pyproject.toml -o locks/development.txt
resolve --all-extras pyproject.toml -o locks/runtime.txt
resolve --group pyproject.toml:docs -o locks/docs.txt
.venv/bin/uv --version | sed 's/uv \([0-9.]*\).*/uv==\1/' | resolve - -o locks/bootstrap.txt
