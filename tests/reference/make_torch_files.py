"""Writes weights in both file formats of PyTorch, for test_torch_file.py.

    python3.11 -m venv torch && torch/bin/pip install torch==2.13.0 numpy
    torch/bin/python tests/reference/make_torch_files.py

`torch_archive.pth` and `torch_legacy.pth` contain the same tensors: one with the name and shape of
the LPIPS channel weights, a kernel, a view into a larger storage, a scalar, one in half precision
and a parameter. `torch_expected.npz` contains them as arrays.

Made with Python 3.11.7, torch 2.13.0 (CPU), numpy 2.4.6.
"""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

FOLDER = Path(__file__).parent


def main():
    torch.manual_seed(0)
    storage = torch.randn(24)
    state = OrderedDict(
        {
            "lin0.model.1.weight": torch.randn(1, 4, 1, 1),
            "conv.weight": torch.randn(3, 2, 2, 2),
            "view": storage[4:16].reshape(3, 4).t(),
            "count": torch.tensor(7),
            "half": torch.randn(3).half(),
            "parameter": torch.nn.Parameter(torch.randn(2)),
        }
    )
    torch.save(state, FOLDER / "torch_archive.pth")
    torch.save(state, FOLDER / "torch_legacy.pth", _use_new_zipfile_serialization=False)
    arrays = {name: tensor.detach().numpy() for name, tensor in state.items()}
    np.savez(FOLDER / "torch_expected.npz", **arrays)


if __name__ == "__main__":
    main()
