"""What all tests share: TensorFlow keeps its startup messages to itself."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
