"""Documents by content hash: whole, once, and told apart from damaged ones."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.durable import write_durably
from gateways.storage import DamagedDocument, FolderStorage, NoSuchDocument, storage_at

PAGE = b"%PDF-1.7 a page"
KEY = sha256(PAGE).hexdigest() + ".pdf"


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "documents")


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_document_lies_under_the_hash_of_its_content(storage: FolderStorage, tmp_path: Path) -> None:
    key = storage.put(PAGE, suffix=".pdf")

    assert key == KEY
    assert files_in(tmp_path) == [f"documents/{KEY[:2]}/{KEY}"]
    assert storage.get(key) == PAGE
    assert storage.exists(key)


def test_the_same_content_again_changes_nothing(storage: FolderStorage, tmp_path: Path) -> None:
    storage.put(PAGE, suffix=".pdf")
    (path,) = tmp_path.rglob("*.pdf")
    before = path.stat()

    storage.put(PAGE, suffix=".pdf")

    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_twenty_writers_of_one_document_leave_one_file(storage: FolderStorage, tmp_path: Path) -> None:
    page = PAGE * 100_000

    with ThreadPoolExecutor(20) as writers:
        keys = set(writers.map(lambda _: storage.put(page), range(20)))

    assert [f"documents/{key[:2]}/{key}" for key in keys] == files_in(tmp_path)
    assert storage.get(keys.pop()) == page


def test_a_damaged_document_is_noticed_and_mended_by_putting_it_again(storage: FolderStorage, tmp_path: Path) -> None:
    key = storage.put(PAGE, suffix=".pdf")
    (path,) = tmp_path.rglob("*.pdf")
    path.write_bytes(PAGE[:5])

    with pytest.raises(DamagedDocument):
        storage.get(key)
    storage.put(PAGE, suffix=".pdf")

    assert storage.get(key) == PAGE


@pytest.mark.parametrize("key", [KEY, "", "../../etc/passwd", "/etc/passwd", KEY.upper(), KEY + "/.."])
def test_what_was_never_put_is_not_there(storage: FolderStorage, key: str) -> None:
    assert not storage.exists(key)
    with pytest.raises(NoSuchDocument):
        storage.get(key)


@pytest.mark.parametrize("suffix", ["pdf", "/../x", ".PDF", ".", ".a/b"])
def test_a_strange_suffix_is_refused(storage: FolderStorage, suffix: str) -> None:
    with pytest.raises(ValueError, match="suffix"):
        storage.put(PAGE, suffix=suffix)


@settings(deadline=None)
@given(content=st.binary(max_size=2000))
def test_whatever_is_put_comes_back(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    storage = FolderStorage(tmp_path_factory.getbasetemp() / "any")

    assert storage.get(storage.put(content)) == content


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "occupied"
    (target / "by a folder").mkdir(parents=True)

    with pytest.raises(OSError, match="occupied"):
        write_durably(target, content=PAGE)

    assert files_in(tmp_path) == []


def test_a_storage_is_found_by_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "with a space"

    key = storage_at(folder).put(PAGE)

    assert storage_at(str(folder)).get(key) == PAGE
    assert storage_at(folder.as_uri()).get(key) == PAGE


def test_a_storage_nobody_wrote_yet_is_an_error() -> None:
    with pytest.raises(ValueError, match="s3://"):
        storage_at("s3://bucket/prefix")
