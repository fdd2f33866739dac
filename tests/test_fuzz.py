"""Some seconds of what `make fuzz` does for three minutes: broken and hostile files end in documented errors."""

import pytest

from support import fuzz


@pytest.mark.parametrize("name", sorted(path.name for path in fuzz.CORPUS.iterdir()))
def test_the_corpus_is_good(name, tmp_path):
    """Files of this version of the format are read by all that come after it."""
    assert fuzz.try_file((fuzz.CORPUS / name).read_bytes(), tmp_path / "file")


@pytest.mark.parametrize("seed", range(3))
def test_no_finding(seed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tried, taken = fuzz.fuzz(2.0, seed)
    assert tried > 20 and taken < tried
