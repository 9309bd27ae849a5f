"""How many steps a second pix2pix takes, here and in PyTorch with the same networks.

    python -m benchmarks.pix2pix_step --torch_python torch/bin/python

Both do the same work: dropout, the discriminator's step, the generator's through a discriminator
that does not learn, Adam, and the moving average of the generator. They run as processes of their
own and are asked in turn, round after round, so that the ratio does not depend on what else the
machine does. The networks of PyTorch are those of tests/reference/make_pix2pix.py. Without
`--torch_python` ours are measured alone.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

RESOLUTION, BATCH_SIZE, DOWNS = 128, 8, 7
ROUNDS, STEPS = 5, 4
ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Prints medians, ranges and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch_python", metavar="PATH", help="a Python with PyTorch")
    parser.add_argument("--worker", choices=WORKERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        _serve(WORKERS[arguments.worker]())
        return
    pythons = {"float32": sys.executable, "mixed_bfloat16": sys.executable}
    if arguments.torch_python:
        pythons |= {"torch": arguments.torch_python, "torch_bfloat16": arguments.torch_python}
    workers = {name: _start(name, python) for name, python in pythons.items()}
    speeds = {name: [] for name in workers}
    for _ in range(ROUNDS):
        for name, worker in workers.items():
            worker.stdin.write("go\n")
            worker.stdin.flush()
            speeds[name].append(float(worker.stdout.readline()))
    print(f"{RESOLUTION} px, batch {BATCH_SIZE}, {os.cpu_count()} cores; steps a second")
    for name, values in speeds.items():
        median = statistics.median(values)
        print(f"{name:16} median {median:.3f}, {min(values):.3f} to {max(values):.3f}")
    for worker in workers.values():
        worker.stdin.close()
        worker.wait()


def _start(name: str, python: str) -> subprocess.Popen:
    command = [python, "-m", "benchmarks.pix2pix_step", "--worker", name]
    worker = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    # It says so when its first step, which traces, is done.
    worker.stdout.readline()
    return worker


def _serve(step: Callable[[], None]) -> None:
    step()
    print("ready", flush=True)
    while sys.stdin.readline():
        begun = time.perf_counter()
        for _ in range(STEPS):
            step()
        print(STEPS / (time.perf_counter() - begun), flush=True)


def _our_step(precision: str) -> Callable[[], None]:
    from jobs.runtime import import_tensorflow_quietly

    import_tensorflow_quietly()
    import keras
    import tensorflow as tf

    from losses.reconstruction import Reconstruction
    from losses.vanilla_adversarial import VanillaAdversarial
    from models.pix2pix import Pix2Pix

    keras.mixed_precision.set_global_policy(precision)
    model = Pix2Pix(depth=DOWNS)
    adams = [keras.optimizers.Adam(2e-4, beta_1=0.5, beta_2=0.999) for _ in range(2)]
    model.compile(*adams, Reconstruction({"l1": 100.0}), VanillaAdversarial(0.0))
    shape = (BATCH_SIZE, RESOLUTION, RESOLUTION)
    data = (tf.random.uniform((*shape, 1), -1, 1), tf.random.uniform((*shape, 2), -1, 1))
    graph = tf.function(model.train_step)
    # Reading a loss waits for the step.
    return lambda: float(graph(data)["generator_loss"])


def _torch_step(has_bfloat16: bool) -> Callable[[], None]:
    sys.path.insert(0, str(ROOT / "tests" / "reference"))
    import torch
    from make_pix2pix import UNet, cross_entropy, patch_gan

    torch.set_num_threads(os.cpu_count())
    generator, slow_generator = UNet(DOWNS, 64, dropped=0.5), UNet(DOWNS, 64)
    discriminator = patch_gan(64)
    optimizers = [
        torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999))
        for network in (generator, discriminator)
    ]
    shape = (RESOLUTION, RESOLUTION)
    lightness = torch.rand(BATCH_SIZE, 1, *shape) * 2 - 1
    true_ab = torch.rand(BATCH_SIZE, 2, *shape) * 2 - 1

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16):
            colored_ab = generator(lightness)
            real, fake = (torch.cat([lightness, ab], dim=1) for ab in (true_ab, colored_ab))
            real_logits, fake_logits = discriminator(real), discriminator(fake.detach())
        loss = cross_entropy(real_logits.float(), 1.0) + cross_entropy(fake_logits.float(), 0.0)
        optimizers[1].zero_grad()
        (0.5 * loss).backward()
        optimizers[1].step()
        discriminator.requires_grad_(False)
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16):
            logits = discriminator(fake)
        l1 = (colored_ab.float() - true_ab).abs().mean()
        loss = cross_entropy(logits.float(), 1.0) + 100.0 * l1
        optimizers[0].zero_grad()
        loss.backward()
        optimizers[0].step()
        discriminator.requires_grad_(True)
        with torch.no_grad():
            torch._foreach_lerp_(
                list(slow_generator.parameters()), list(generator.parameters()), 0.001
            )
        loss.item()

    return step


WORKERS = {
    "float32": lambda: _our_step("float32"),
    "mixed_bfloat16": lambda: _our_step("mixed_bfloat16"),
    "torch": lambda: _torch_step(False),
    "torch_bfloat16": lambda: _torch_step(True),
}


if __name__ == "__main__":
    main()
