"""The formats of exported networks: how each is written, and how other programs read it."""

import importlib.util
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from errors import InputError
from jobs.export.fixed_network import FixedNetwork
from jobs.export.quantize import quantize_litert, quantize_onnx


@dataclass(frozen=True)
class Format:
    """A format of exported networks.

    Attributes:
        title: str, what a person calls its runtime.
        file: str, the name of the file, or of the folder of a SavedModel.
        packages: mapping of the modules that write and read it to the packages to install.
        runtime: str, the package that is needed to color with it.
        write: function of the path of a SavedModel, the network, the path to write, and whether
            weights are stored with 8 bits.
        imports, load, predict: str, the code of the sample that colors with it.
        page: str or None, the template of a page that colors with it in the browser. Defaults to
            `None`.
        quantizing: mapping like `packages`, for weights of 8 bits. Defaults to none.
    """

    title: str
    file: str
    packages: Mapping[str, str]
    runtime: str
    write: Callable[[Path, FixedNetwork, Path, bool], None]
    imports: str
    load: str
    predict: str
    page: str | None = None
    quantizing: Mapping[str, str] = field(default_factory=dict)

    def check_packages(self, quantize: bool) -> None:
        """Checks that what writes and reads the format is installed.

        Args:
            quantize: bool, whether weights are stored with 8 bits.

        Raises:
            InputError: a package is missing.
        """
        missing = [
            package
            for module, package in {
                **self.packages,
                **(self.quantizing if quantize else {}),
            }.items()
            if importlib.util.find_spec(module) is None
        ]
        if missing:
            raise InputError(
                f"{self.title} needs packages that are not installed; python -m pip install "
                f"{' '.join(missing)}"
            )


def _write_saved_model(
    saved_model: Path, network: FixedNetwork, path: Path, quantize: bool
) -> None:
    shutil.copytree(saved_model, path)


def _write_onnx(saved_model: Path, network: FixedNetwork, path: Path, quantize: bool) -> None:
    import tf2onnx

    tf2onnx.convert.from_function(
        network.function, network.function.input_signature, opset=17, output_path=str(path)
    )
    _add_up_biases(path)
    if quantize:
        quantize_onnx(path)


def _add_up_biases(path: Path) -> None:
    """Gives each convolution one bias: tf2onnx 1.17 writes two where a vector is added to one.

    No runtime reads such a convolution. Here it is that of the palette.
    """
    import onnx

    model = onnx.load(path)
    nodes = []
    for node in model.graph.node:
        if node.op_type == "Conv" and len(node.input) > 3:
            biases = node.input[2:]
            total = f"{node.output[0]}_bias"
            nodes.append(onnx.helper.make_node("Add", biases, [total]))
            node.input[2:] = [total]
        nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, path)


def _write_litert(saved_model: Path, network: FixedNetwork, path: Path, quantize: bool) -> None:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    path.write_bytes(converter.convert())
    if quantize:
        quantize_litert(path)


def _write_openvino(saved_model: Path, network: FixedNetwork, path: Path, quantize: bool) -> None:
    # Otherwise OpenVINO reports its use over the internet.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    model = openvino.Core().read_model(saved_model)
    openvino.save_model(model, path, compress_to_fp16=False)


FORMATS = {
    "onnx": Format(
        title="ONNX Runtime",
        file="colorizer.onnx",
        packages={"onnxruntime": "onnxruntime", "onnx": "onnx", "tf2onnx": "tf2onnx"},
        runtime="onnxruntime",
        write=_write_onnx,
        imports="import onnxruntime",
        load="""\
options = onnxruntime.SessionOptions()
# Weights of 8 bits are decoded once, and not in every run.
options.add_session_config_entry("session.disable_quant_qdq", "1")
network = onnxruntime.InferenceSession(HERE / "colorizer.onnx", options)""",
        predict='return network.run(["ab"], inputs)[0]',
        page="index.html",
    ),
    "litert": Format(
        title="LiteRT",
        file="colorizer.tflite",
        packages={"ai_edge_litert": "ai-edge-litert"},
        quantizing={"ai_edge_quantizer": "ai-edge-quantizer"},
        runtime="ai-edge-litert",
        write=_write_litert,
        imports="from ai_edge_litert.interpreter import Interpreter",
        load="""\
interpreter = Interpreter(str(HERE / "colorizer.tflite"))
network = interpreter.get_signature_runner()""",
        predict='return network(**inputs)["ab"]',
    ),
    "openvino": Format(
        title="OpenVINO",
        file="colorizer.xml",
        packages={"openvino": "openvino"},
        runtime="openvino",
        write=_write_openvino,
        imports="""\
sys.modules["openvino_telemetry"] = None  # or OpenVINO reports its use over the internet
import openvino""",
        load="""\
# By default OpenVINO computes in bfloat16 where the processor can: faster, by a few units of ab.
network = openvino.Core().compile_model(
    HERE / "colorizer.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
)""",
        predict='return network(inputs)["ab"]',
    ),
    "saved_model": Format(
        title="TensorFlow",
        file="colorizer",
        packages={},
        runtime="tensorflow",
        write=_write_saved_model,
        imports="import tensorflow as tf",
        load='network = tf.saved_model.load(HERE / "colorizer").signatures["serving_default"]',
        predict="""\
tensors = {name: tf.constant(value, "float32") for name, value in inputs.items()}
    return network(**tensors)["ab"].numpy()""",
    ),
}
