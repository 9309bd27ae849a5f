"""A training that is stopped and killed again and again ends as one that never was."""

import pytest

from benchmarks.crashes import survive


@pytest.mark.slow
def test_a_training_survives_signals_to_the_last_bit(tmp_path, capsys):
    assert survive(tmp_path, times=3) == 0
    assert "WRONG" not in capsys.readouterr().out
