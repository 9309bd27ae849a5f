"""Colors photographs with a trained network.

Example:
    from inference import PhotoColorizer

    colorizer = PhotoColorizer.from_folder("weights/pretrained/sagan")
    colorizer.color("gray.jpg", "colored.jpg")
"""


def __getattr__(name: str) -> type:
    # Imported only when it is used, because it imports TensorFlow.
    if name == "PhotoColorizer":
        from inference.photo_colorizer import PhotoColorizer

        return PhotoColorizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
