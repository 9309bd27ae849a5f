"""The program prints one line for every error and returns the right exit status."""

import pytest

import run


def test_an_error_is_one_line_and_status_2(capsys):
    assert run.main(["--epochs", "0"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert not captured.out


def test_ctrl_c_at_any_time_is_status_130(monkeypatch, capsys):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "parse", interrupted)
    assert run.main([]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_defect_is_not_hidden(monkeypatch):
    def broken(*args):
        raise RuntimeError("ours")

    monkeypatch.setattr(run, "parse", broken)
    with pytest.raises(RuntimeError, match="ours"):
        run.main([])


@pytest.mark.parametrize(
    ("arguments", "job"),
    [
        ([], "jobs.train.train.train"),
        (["--dataset", "a", "b"], "jobs.train.train.train"),
        (["--load_weights"], "jobs.train.train.train"),
        (["--images", "a"], "jobs.colorize.colorize.colorize"),
        (["--images", "a", "--load_weights"], "jobs.colorize.colorize.colorize"),
        (["--serve"], "jobs.serve.serve.serve"),
        (["--inspect"], "jobs.inspect.inspect"),
        (["--inspect", "--dataset", "a"], "jobs.inspect.inspect"),
        (["--evaluate"], "jobs.evaluate.evaluate.evaluate"),
        (["--evaluate", "--images", "a", "--predictions", "b"], "jobs.evaluate.evaluate.evaluate"),
    ],
)
def test_requested_job_is_run(monkeypatch, arguments, job):
    done = []
    for each in (
        *("jobs.train.train.train", "jobs.colorize.colorize.colorize"),
        *("jobs.inspect.inspect", "jobs.evaluate.evaluate.evaluate", "jobs.serve.serve.serve"),
    ):
        monkeypatch.setattr(each, lambda *args, each=each: done.append(each) or 7)
    assert run.main(arguments) == 7
    assert done == [job]
