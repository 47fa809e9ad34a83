"""Downloads from a server on this machine: checked, whole or not there at all."""

import functools
import hashlib
import io
import tarfile
import threading
import zipfile
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tiny_data import write_cifar10, write_idx_set

from pruning.data.downloads import Download, fetch
from pruning.data.loading import load
from pruning.data.sets import SETS


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def published(tmp_path):
    """A folder, and the address under which its files are served."""
    folder = tmp_path / "published"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def md5(content):
    return "md5:" + hashlib.md5(content).hexdigest()


def tar_gz(files):
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return found.getvalue()


def zipped(files):
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return found.getvalue()


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_files_are_put_where_they_are_looked_for(tmp_path, published):
    folder, address = published
    files = {"a.gz": b"one", "b.gz": b"two"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    download = Download({f"{address}/{name}": md5(content) for name, content in files.items()}, "SET/raw")
    assert fetch(download, tmp_path / "data") == tmp_path / "data" / "SET" / "raw"
    assert tree(tmp_path / "data") == {f"SET/raw/{name}": content for name, content in files.items()}


def test_what_is_there_and_right_is_not_fetched_again_and_what_is_wrong_is(tmp_path, published):
    folder, address = published
    (folder / "wrong").write_bytes(b"two")
    there = tmp_path / "data" / "SET"
    there.mkdir(parents=True)
    (there / "right").write_bytes(b"one")
    (there / "wrong").write_bytes(b"part of tw")
    # "right" is not published: fetching it would fail
    fetch(
        Download({f"{address}/right": md5(b"one"), f"{address}/wrong": md5(b"two")}, "SET"), tmp_path / "data"
    )
    assert tree(tmp_path / "data") == {"SET/right": b"one", "SET/wrong": b"two"}


@pytest.mark.parametrize(("name", "pack"), [("set.tar.gz", tar_gz), ("set.zip", zipped)])
def test_an_archive_is_unpacked_and_not_kept(tmp_path, published, name, pack):
    folder, address = published
    content = pack({"set-1/train/a": b"one", "set-1/b": b"two"})
    (folder / name).write_bytes(content)
    download = Download({f"{address}/{name}": md5(content)}, "set-1", archive=True)
    assert fetch(download, tmp_path / "data") == tmp_path / "data" / "set-1"
    assert tree(tmp_path / "data") == {"set-1/train/a": b"one", "set-1/b": b"two"}


def refused(download, folder, message):
    with pytest.raises(ValueError, match=message) as error:
        fetch(download, folder)
    assert "\n" not in str(error.value)
    assert tree(folder) == {}


def test_a_wrong_checksum_leaves_nothing(tmp_path, published):
    folder, address = published
    (folder / "set.zip").write_bytes(zipped({"set/a": b"one"}))
    download = Download({f"{address}/set.zip": md5(b"other")}, "set", archive=True)
    refused(download, tmp_path / "data", rf"cannot download {address}/set.zip to .*set.zip: .*does not match")


def test_a_file_that_is_not_published(tmp_path, published):
    download = Download({f"{published[1]}/set.gz": md5(b"")}, "set")
    refused(download, tmp_path / "data", r"cannot download .*/set.gz to .*set/set.gz: 404")


def test_no_connection(tmp_path):
    download = Download({"http://127.0.0.1:9/set.gz": md5(b"")}, "set")
    refused(download, tmp_path / "data", r"cannot download http://127.0.0.1:9/set.gz to ")


@pytest.mark.parametrize(
    ("content", "message"),
    [(zipped({"other/a": b"one"}), "has no folder set"), (b"no zip file", "cannot be unpacked")],
)
def test_a_published_archive_that_is_another(tmp_path, published, content, message):
    folder, address = published
    (folder / "set.zip").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        fetch(Download({f"{address}/set.zip": md5(content)}, "set", archive=True), tmp_path / "data")
    assert not (tmp_path / "data" / "set").exists()


def test_members_outside_the_folder_are_refused(tmp_path, published):
    folder, address = published
    content = tar_gz({"set/a": b"one", "../../escaped": b"two"})
    (folder / "set.tar.gz").write_bytes(content)
    with pytest.raises(ValueError, match="cannot be unpacked"):
        fetch(Download({f"{address}/set.tar.gz": md5(content)}, "set", archive=True), tmp_path / "data")
    assert not any(tmp_path.rglob("escaped"))


def test_a_folder_that_is_there_is_not_replaced(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine").write_bytes(b"")
    with pytest.raises(ValueError, match=r"set exists but is incomplete: remove it"):
        fetch(Download({"http://127.0.0.1:9/set.zip": md5(b"")}, "set", archive=True), tmp_path)
    assert tree(tmp_path) == {"set/mine": b""}


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ValueError, match=r"cannot write to .*data: "):
        fetch(Download({"http://127.0.0.1:9/set.gz": md5(b"")}, "set"), tmp_path / "data")


@pytest.mark.parametrize("name", [name for name, kind in SETS.items() if kind.download])
def test_every_published_file_has_a_checksum(name):
    download = SETS[name].download
    assert all(len(digest) == len("md5:") + 32 for digest in download.files.values())
    assert download.folder == SETS[name].folders[0]
    assert not download.archive or len(download.files) == 1


def publish(monkeypatch, name, files):
    """Makes a set's files come from these addresses."""
    download = replace(SETS[name].download, files=files)
    monkeypatch.setitem(SETS, name, replace(SETS[name], download=download))


def test_load_fetches_a_missing_set_only_when_it_is_told_to(tmp_path, published, monkeypatch):
    folder, address = published
    write_idx_set(folder)
    publish(
        monkeypatch, "mnist", {f"{address}/{name}": md5(content) for name, content in tree(folder).items()}
    )
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte is missing; .* add --download"):
        load("mnist", tmp_path / "data")
    assert not (tmp_path / "data").exists()
    assert len(load("mnist", tmp_path / "data", download=True).test) == 50
    for path in folder.iterdir():
        path.unlink()
    assert len(load("mnist", tmp_path / "data", download=True).test) == 50


def test_load_fetches_and_unpacks_an_archive(tmp_path, published, monkeypatch):
    folder, address = published
    write_cifar10(tmp_path / "made")
    content = tar_gz(tree(tmp_path / "made"))
    (folder / "cifar-10-python.tar.gz").write_bytes(content)
    publish(monkeypatch, "cifar10", {f"{address}/cifar-10-python.tar.gz": md5(content)})
    assert len(load("cifar10", tmp_path / "data", download=True).test) == 20
    assert tree(tmp_path / "data") == tree(tmp_path / "made")
