"""Trains neural networks to color black-and-white photographs, and colors them.

python run.py                       train on the demo photographs
python run.py --dataset DIR         train on your own
python run.py --load_weights        resume the last training
python run.py --images DIR          color photographs
python run.py --serve               color them on a page in the browser
python run.py --evaluate            evaluate weights with metrics, in one table
python run.py --export onnx         write the network for other programs
python run.py --inspect             show the training data
python run.py --help                list all options
"""

import gc
import io
import signal
import sys

from config.parser import parse
from errors import ColorizerError, InputError, InterruptedBySignalError
from jobs.common.runtime import import_tensorflow_quietly


def main(arguments: list[str]) -> int:
    """Runs the job that the arguments select and returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        # File names may have characters that the terminal cannot encode.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        settings, explicit = parse(arguments)
        # Imported late, so that --help and a mistyped argument are answered at once.
        import_tensorflow_quietly()
        if settings.job == "colorize":
            from jobs.colorize.colorize import colorize

            return colorize(settings)
        if settings.job == "serve":
            from jobs.serve.serve import serve

            return serve(settings)
        if settings.job == "evaluate":
            from jobs.evaluate.evaluate import evaluate

            return evaluate(settings, explicit)
        if settings.job == "export":
            from jobs.export.export import export

            return export(settings)
        if settings.job == "inspect":
            from jobs.inspect import inspect

            return inspect(settings)
        from jobs.train.train import train

        return train(settings, explicit)
    except InterruptedBySignalError as stop:
        print(f"stopped: {stop}", file=sys.stderr)
        return stop.exit_status
    except ColorizerError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    except OSError as error:
        # For example a full disk or a folder that was removed: no bug, so no traceback.
        print(f"error: {error}", file=sys.stderr)
        return InputError.exit_status
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT


if __name__ == "__main__":
    status = main(sys.argv[1:])
    # Otherwise the last garbage collection spends a second on the objects of TensorFlow.
    gc.freeze()
    sys.exit(status)
