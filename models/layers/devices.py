"""The devices that layers compute on, and the precision that suits them."""

from pathlib import Path

import tensorflow as tf

# Only Linux lists the features of the processor in a file. Elsewhere float32 is the safe choice.
CPU_INFORMATION = Path("/proc/cpuinfo")


def has_gpu() -> bool:
    """Whether TensorFlow computes on a GPU. What is faster on a CPU was not measured there."""
    return bool(tf.config.list_logical_devices("GPU"))


def fastest_precision() -> str:
    """The dtype policy that suits the devices: `mixed_bfloat16` where native, else `float32`."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        capabilities = [
            tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
            for gpu in gpus
        ]
        # bfloat16 is native since Ampere.
        is_native = min(capabilities) >= (8, 0)
    else:
        # `bf16` is the flag of ARM processors.
        is_native = bool(processor_flags() & {"avx512_bf16", "amx_bf16", "bf16"})
    return "mixed_bfloat16" if is_native else "float32"


def processor_flags() -> set[str]:
    """The features of the processor; on other systems than Linux none."""
    if not CPU_INFORMATION.exists():
        return set()
    lines = CPU_INFORMATION.read_text().splitlines()
    # `Features` on ARM processors.
    flags = (line.partition(":")[2] for line in lines if line.startswith(("flags", "Features")))
    return set(" ".join(flags).split())
