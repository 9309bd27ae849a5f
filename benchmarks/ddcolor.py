"""The worker of `benchmarks.coloring --ddcolor`: photographs per second of DDColor-tiny.

It runs in a Python with PyTorch and OpenCV, with the pipeline of DDColor's own repository. The
weights are random, which changes the colors and not the time.
"""

import sys
import time
from pathlib import Path

from benchmarks.in_turn import serve


def main(checkout: str, input_size: str, photographs: str, output_dir: str) -> None:
    """Serves photographs per second.

    Args:
        checkout: str, a clone of github.com/piddnad/DDColor.
        input_size: str, the side of the network's input.
        photographs: str, the folder of photographs.
        output_dir: str, the folder of results.
    """
    sys.path.insert(0, checkout)
    import cv2
    from ddcolor import ColorizationPipeline, DDColor

    # The arguments of `build_ddcolor_model` for the tiny model, which needs a file of weights.
    model = DDColor(
        encoder_name="convnext-t",
        input_size=[int(input_size)] * 2,
        num_output_channels=2,
        last_norm="Spectral",
        num_queries=100,
    )
    pipeline = ColorizationPipeline(model, input_size=int(input_size))
    files = sorted(Path(photographs).iterdir())

    def photographs_per_second():
        begun = time.perf_counter()
        for file in files:
            cv2.imwrite(f"{output_dir}/{file.name}", pipeline.process(cv2.imread(str(file))))
        return len(files) / (time.perf_counter() - begun)

    serve(photographs_per_second)


if __name__ == "__main__":
    main(*sys.argv[1:])
