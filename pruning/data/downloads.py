"""Downloads of published files: nothing is kept whose checksum is wrong, or which is not whole."""

from __future__ import annotations

import shutil
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Download:
    """Where a data set is published.

    Args:
        files: Address -> checksum, as "md5:..." or "sha256:...". A file keeps the last part of its address.
        folder: Below the data folder; files are put there. An archive makes it: it has that one folder.
        archive: The only file is an archive, which is unpacked and not kept.
    """

    files: Mapping[str, str]
    folder: str
    archive: bool = False

    @property
    def names(self) -> dict[str, str]:
        """File name -> checksum."""
        return {address.rpartition("/")[2]: digest for address, digest in self.files.items()}


def fetch(download: Download, root: Path) -> Path:
    """Downloads what is not there yet, and returns the folder that holds it.

    A kill leaves no file and no unpacked folder that is not whole.

    Args:
        download: What.
        root: The data folder; made where it is missing.

    Raises:
        ValueError: There is no connection, a checksum is wrong, the folder cannot be written, or an archive
            would go into a folder that is there already.
    """
    target = root / download.folder
    if download.archive and target.exists():
        raise ValueError(f"{target} is there but is not complete: remove it to download it again")
    try:
        (root if download.archive else target).mkdir(parents=True, exist_ok=True)
        for address, digest in download.files.items():
            path = _retrieve(address, digest, root if download.archive else target)
            if download.archive:
                _unpack(path, download.folder, root)
    except OSError as error:
        raise ValueError(f"cannot write to {root}: {error}") from error
    return target


def _retrieve(address: str, digest: str, folder: Path) -> Path:
    import pooch

    name = address.rpartition("/")[2]
    try:
        found = pooch.retrieve(address, digest, name, folder, progressbar=sys.stderr.isatty())
    # OSError: those of requests are; ValueError: a wrong checksum
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"cannot download {address} to {folder / name}: {reason}") from error
    return Path(found)


def _unpack(archive: Path, name: str, root: Path) -> None:
    # in a folder beside it, so that the name appears when everything is there
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=root) as temporary:
        try:
            shutil.unpack_archive(archive, temporary, filter=None if archive.suffix == ".zip" else "data")
        except (shutil.ReadError, tarfile.TarError, zipfile.BadZipFile, ValueError) as error:
            raise ValueError(f"{archive} cannot be unpacked: {error}") from error
        unpacked = Path(temporary) / name
        if not unpacked.is_dir():
            raise ValueError(f"{archive} has no folder {name}")
        unpacked.replace(root / name)
    archive.unlink()
