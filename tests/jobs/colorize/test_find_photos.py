"""Photographs are found in files and folders, and results of earlier runs are not colored again."""

from data.datasets.folder import demo_images
from tests.jobs.colorize.photographs import files_below, photograph, summary


def test_other_files_are_counted(color_photographs, here, capsys):
    photograph(here / "in/a.png")
    for name in ("1.txt", "deep/2.TXT", "3.mov", "README", ".hidden", "Thumbs.db", "out/4.csv"):
        (here / "in" / name).parent.mkdir(exist_ok=True)
        (here / "in" / name).write_text("no image")
    assert color_photographs("in", "--output_dir", "in/out") == 0
    line = "note: 4 other files were passed over: 2 .txt, 1 .mov, 1 without a suffix\n"
    assert capsys.readouterr().err == line
    assert color_photographs("in", "--output_dir", "in/out", "--quiet") == 0
    assert capsys.readouterr().err == ""


def test_results_below_the_input_are_not_colored_again(color_photographs, here, capsys):
    photograph(here / "a.png")
    # The output folder may be a link, as to another disk; here its target is in the input as well.
    (here / "disk").mkdir()
    (here / "link").symlink_to("disk", target_is_directory=True)
    for folder in ("results", "link"):
        assert color_photographs(".", "--output_dir", folder) == 0
        assert color_photographs(".", "--output_dir", folder) == 0
        assert capsys.readouterr().out.endswith(summary(skipped=1, output_dir=folder))
        assert files_below(here / folder) == {"a.png"}
        (here / folder / "a.png").unlink()
    assert (here / "link").is_symlink()


def test_results_may_be_written_above_the_input(color_photographs, here):
    photograph(here / "shoebox/1950/a.png")
    assert color_photographs("shoebox/1950", "--output_dir", "shoebox") == 0
    assert color_photographs("shoebox/1950", "--output_dir", ".") == 0
    assert (here / "shoebox/a.png").exists()
    assert (here / "a.png").exists()


def test_demo_photographs_are_colored(color_photographs, here):
    assert color_photographs("demo") == 0
    images = {path.name for path in demo_images()}
    assert set(files_below(here / "results")) == images | {"camera.png"}


def test_a_folder_that_cannot_be_read_is_reported(color_photographs, closed, here, capsys):
    photograph(here / "in/a.png")
    assert color_photographs("in") == 1
    captured = capsys.readouterr()
    assert captured.err == "failed: in/closed: Permission denied: not searched\n"
    assert captured.out.endswith(summary(colored=1, failed=1))
