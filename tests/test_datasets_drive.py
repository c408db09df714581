from __future__ import annotations

import hashlib
import sys
from types import SimpleNamespace

import pytest

from emo_utils.datasets.drive import fetch_drive
from emo_utils.errors import DataError
from emo_utils.paths import data_dir

FILE_ID = "1AbC-dEf_GhIjKlMn"
GOOD, SUM = b"the real archive", hashlib.sha256(b"the real archive").hexdigest()


@pytest.fixture
def drive(monkeypatch):
    """Stand in for gdown: what `drive.gives` says is written, as gdown does, to the path that it is asked for."""
    fake = SimpleNamespace(calls=[], gives=GOOD)

    def download(*, id, output, quiet, resume):
        fake.calls.append((id, output, resume))
        if isinstance(fake.gives, Exception):
            raise fake.gives
        if fake.gives is None:
            return None
        with open(output, "wb") as file:
            file.write(fake.gives)
        return output

    monkeypatch.setitem(sys.modules, "gdown", SimpleNamespace(download=download))
    return fake


def files():
    return sorted(path.name for path in data_dir().iterdir())


def test_file_is_fetched_once(drive):
    path = fetch_drive(FILE_ID, "set.zip", SUM)
    assert path == data_dir() / "set.zip"
    assert path.read_bytes() == GOOD
    assert fetch_drive(FILE_ID, "set.zip", SUM.upper()) == path
    assert drive.calls == [(FILE_ID, str(data_dir() / "set.zip.part"), True)]
    assert files() == ["set.zip"]


def test_broken_download_keeps_what_it_has_and_goes_on(drive):
    data_dir().mkdir(parents=True)
    (data_dir() / "set.zip.part").write_bytes(GOOD[:5])
    drive.gives = ConnectionError("reset\nby peer")
    with pytest.raises(DataError) as error:
        fetch_drive(FILE_ID, "set.zip", SUM)
    assert str(error.value) == (
        f"Google Drive did not give file {FILE_ID} (reset by peer). Is it shared with everyone who has the link? "
        f"Call again to go on where it stopped, or download it in a browser and put it into {data_dir()}."
    )
    assert (data_dir() / "set.zip.part").read_bytes() == GOOD[:5]
    drive.gives = GOOD
    assert fetch_drive(FILE_ID, "set.zip", SUM).read_bytes() == GOOD


def test_other_content_is_refused_and_the_earlier_file_stays(drive):
    data_dir().mkdir(parents=True)
    (data_dir() / "set.zip").write_bytes(b"an earlier version")
    drive.gives = b"<html>quota exceeded</html>"
    with pytest.raises(DataError, match=r"set\.zip has another sha256.*The earlier set\.zip was left as it is\."):
        fetch_drive(FILE_ID, "set.zip", SUM)
    assert files() == ["set.zip"]
    assert (data_dir() / "set.zip").read_bytes() == b"an earlier version"


def test_damaged_file_is_replaced_by_the_right_one(drive):
    data_dir().mkdir(parents=True)
    (data_dir() / "set.zip").write_bytes(b"damaged")
    assert fetch_drive(FILE_ID, "set.zip", SUM).read_bytes() == GOOD


def test_no_file_at_all(drive):
    drive.gives = None
    with pytest.raises(DataError, match=r"did not give file .* \(no file came back\)"):
        fetch_drive(FILE_ID, "set.zip", SUM)


def test_without_gdown_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gdown", None)
    with pytest.raises(DataError, match="need gdown: pip install gdown"):
        fetch_drive(FILE_ID, "set.zip", SUM)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("https://drive.google.com/file/d/x", "set.zip", SUM), r"file_id must be the code between /d/ and /view"),
        ((FILE_ID, "../set.zip", SUM), r"dest must be a plain file name"),
        ((FILE_ID, "/tmp/set.zip", SUM), r"dest must be a plain file name"),
        ((FILE_ID, "", SUM), r"dest must be a plain file name"),
        ((FILE_ID, "..", SUM), r"dest must be a plain file name"),
        ((FILE_ID, "set.zip", "abc"), r"sha256 must have 64 hex digits\. Got 'abc'\."),
    ],
)
def test_wrong_arguments_are_refused(drive, arguments, message):
    with pytest.raises(DataError, match=message):
        fetch_drive(*arguments)
    assert drive.calls == []
