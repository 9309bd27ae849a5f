"""Parses the command line into settings, or raises an error of one line.

TensorFlow is not imported here, so that `--help` is fast.
"""

import argparse
import dataclasses
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from config.groups.argument_types import value_type
from config.groups.presets import MODEL_DEFAULTS, PRESETS, SAGAN_ENCODER_DEFAULTS
from config.groups.setting import MODELS
from config.rules import check_job, check_use, without_effect
from config.settings import GROUPS, Settings, fields
from data.datasets.dataset_name import DEMO
from errors import InputError


def parse(arguments: Sequence[str]) -> tuple[Settings, set[str]]:
    """Parses the command line.

    Args:
        arguments: list of str, without the program's name. Names may be written with hyphens.

    Returns:
        The settings, and the set of the names of the explicit settings: those of the command line,
        and those of the file that `--config` names.

    Raises:
        InputError: an argument is unknown, malformed, or has no effect on the job.

    Example:
        settings, explicit = parse(["--model", "pix2pix", "--batch-size", "32"])
        settings.job                  # "train"
        settings.generator_lr         # 0.0002, the default of pix2pix
        explicit                      # {"model", "batch_size"}
    """
    parser = _parser()
    given = _values(parser, map(_with_underscores, arguments))
    given |= _own_demo(given)
    if "config" in given:
        return _with_file(parser, given)
    settings = Settings(**{**_defaults(given), **given})
    _check(settings, set(given))
    return settings, set(given)


def _with_file(parser: argparse.ArgumentParser, given: dict[str, Any]) -> tuple[Settings, set[str]]:
    """The settings of the command line and of the file that it names, as for `parse`."""
    # Imported late, so that --help does not wait for it.
    from config.config_file import read_config_file

    path = given["config"]
    arguments, is_of_training = read_config_file(path)
    try:
        values = _values(parser, arguments)
        if not is_of_training:
            values |= _own_demo(values)
        values |= given
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    settings = Settings(**{**_defaults(values), **values})
    _check(settings, set(given))
    others = values.keys() - given.keys()
    if is_of_training:
        # It has all settings, also those that this job or model does not use.
        others -= {entry.name for entry in fields() if without_effect(settings, entry)}
    if settings.load_weights:
        # The file that a training was started with also resumes it.
        others -= {"preset", "pretrained"}
    try:
        _check(settings, others)
    except InputError as error:
        raise InputError(f"--config {path}: {error}") from error
    return settings, others | given.keys()


def _own_demo(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in which `demo` means a folder, or a photograph, that has this name.

    The folder is then called `./demo`, so that `demo` always means the demo photographs, also in
    the settings of a training that is resumed in another working folder.
    """
    own = os.path.join(os.curdir, DEMO)
    exists = {"images": os.path.exists(own), "dataset": os.path.isdir(own)}
    changed = {
        name: tuple(own if value == DEMO else value for value in given[name])
        for name, is_there in exists.items()
        if is_there and DEMO in (given.get(name) or ())
    }
    if changed and not given.get("quiet"):
        print(
            f"note: {DEMO} is the folder or file of this name here, {own}, and not the demo "
            "photographs",
            file=sys.stderr,
        )
    return changed


def _check(settings: Settings, explicit: set[str]) -> None:
    check_job(settings, explicit)
    # The settings of a resumed training are in its folder: they are checked once they are read.
    if settings.job != "train" or not settings.load_weights:
        check_use(settings, explicit)


def _defaults(explicit: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults of the model and of the preset."""
    preset = PRESETS[explicit["preset"]] if explicit.get("preset") else None
    values = preset.settings if preset else {}
    model = explicit.get("model") or values.get("model", "")
    has_encoder = explicit.get("encoder", "none") != "none"
    of_encoder = SAGAN_ENCODER_DEFAULTS if has_encoder and model in ("", "sagan") else {}
    starts_from = preset and preset.starts_from
    weights = {"pretrained": os.path.join("weights", starts_from)} if starts_from else {}
    return {**MODEL_DEFAULTS.get(model, {}), **of_encoder, **values, **weights}


class _Parser(argparse.ArgumentParser):
    """Raises errors instead of printing the usage: only `run.py` prints errors."""

    def error(self, message):
        raise InputError(f"{message}; `python run.py --help` lists all arguments")


class _HelpFormatter(argparse.HelpFormatter):
    def __init__(self, prog):
        super().__init__(prog, max_help_position=30, width=100)


class _Switch(argparse.Action):
    """The action of the pair of flags --name and --no_name."""

    def __init__(self, **options):
        super().__init__(nargs=0, **options)

    def __call__(self, parser, namespace, values, option_string=None):
        setattr(namespace, self.dest, not option_string.startswith("--no_"))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python run.py",
        description="Trains neural networks to color black-and-white photographs, and colors them.",
        epilog="Without arguments, training starts on the demo photographs. Exit status: 0 "
        "success, 1 some photographs failed, 2 the job could not start (or disk or memory ran "
        "out), 3 training diverged, 4 another worker of the training was lost, 130 interrupted by "
        "Ctrl-C (143 by SIGTERM, 129 by SIGHUP).",
        formatter_class=_HelpFormatter,
        usage="python run.py [--images PATH ... | --serve | --evaluate | --inspect | "
        "--export FORMAT ... | --load_weights] [options]",
        argument_default=argparse.SUPPRESS,
        # An abbreviation that works today could become ambiguous with the next option.
        allow_abbrev=False,
    )
    for heading, group in GROUPS.items():
        arguments = parser.add_argument_group(heading)
        for entry in dataclasses.fields(group):
            names = (entry.name, *entry.metadata["aliases"])
            arguments.add_argument(
                *(f"--{name}" for name in names),
                *([f"--no_{entry.name}"] if entry.type is bool else []),
                dest=entry.name,
                help=_help(entry),
                **_options(entry),
            )
    return parser


def _options(entry: dataclasses.Field) -> dict[str, Any]:
    """The keyword arguments of `add_argument` that the type of a setting implies, and its own."""
    kind, is_list, argument = value_type(entry.type)
    if kind is bool:
        return {"action": _Switch}
    options = {"type": argument.parse, "metavar": argument.metavar, "choices": argument.choices}
    if is_list:
        options |= {"nargs": "+", "action": "extend"}
    return options | entry.metadata["options"]


def _help(entry: dataclasses.Field) -> str:
    text = entry.metadata["help"]
    notes = []
    if entry.metadata["models"] != MODELS:
        notes.append(f"only with {', '.join(entry.metadata['models'])}")
    if not (entry.default is None or isinstance(entry.default, bool) or "default" in text):
        notes.append(f"default: {_shown(entry.default)}")
        notes += [
            f"{_shown(defaults[entry.name])} with {model}"
            for model, defaults in MODEL_DEFAULTS.items()
            if defaults.get(entry.name, entry.default) != entry.default
        ]
        if entry.name in SAGAN_ENCODER_DEFAULTS:
            notes.append(f"{SAGAN_ENCODER_DEFAULTS[entry.name]} with sagan and --encoder")
    return f"{text} ({'; '.join(notes)})" if notes else text


def _shown(value: Any) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)


def _with_underscores(argument: str) -> str:
    """Turns --weights-dir=x-y into --weights_dir=x-y."""
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument.partition("=")
    return "--" + name[2:].replace("-", "_") + equals + value


def _values(parser: argparse.ArgumentParser, arguments: Iterable[str]) -> dict[str, Any]:
    """The values of the arguments by name, with tuples for lists."""
    values = vars(parser.parse_args(list(arguments)))
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
