"""A training that is interrupted and killed repeatedly ends like an uninterrupted one."""

import pytest

from benchmarks.crashes import survive


@pytest.mark.slow
def test_interrupted_training_equals_an_uninterrupted_one_to_the_last_bit(tmp_path, capsys):
    assert survive(tmp_path, times=3) == 0
    assert "WRONG" not in capsys.readouterr().out
