"""Downloads of published files: files with a wrong checksum and incomplete files are never kept."""

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
        files: URL -> checksum in the form "md5:..." or "sha256:...". A file is named by the last part of its
            URL.
        folder: Folder for the files, below the data folder; for an archive, the one folder that it contains.
        archive: Whether the only file is an archive, which is unpacked and then deleted.
    """

    files: Mapping[str, str]
    folder: str
    archive: bool = False

    @property
    def names(self) -> dict[str, str]:
        """File name -> checksum."""
        return {address.rpartition("/")[2]: digest for address, digest in self.files.items()}


def fetch(download: Download, root: Path) -> Path:
    """Downloads missing files, and returns their folder.

    Killing the process leaves no incomplete file or folder.

    Args:
        download: What to download.
        root: The data folder; created if missing.

    Raises:
        ValueError: There is no connection, a checksum is wrong, the folder is not writable, or the folder of
            an archive exists already.
    """
    target = root / download.folder
    if download.archive and target.exists():
        raise ValueError(f"{target} exists but is incomplete: remove it to download it again")
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
    # OSError: the errors of requests; ValueError: a wrong checksum
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"cannot download {address} to {folder / name}: {reason}") from error
    return Path(found)


def _unpack(archive: Path, name: str, root: Path) -> None:
    # unpacked in a temporary folder first, so the final name appears only when everything is complete
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
