"""Reads and writes a person's photographs with their metadata, color profiles and bit depth.

Training images are read by `data.image_io`, which is faster but converts all of them to 8-bit sRGB.

Example:
    from data.photos.file import PhotoFile
    from data.photos.writer import write_photo

    [page] = PhotoFile("gray.jpg").pages
    small = page.shrunk(192, 192)           # the input of a network
    strips = (page.from_srgb(255 - rgb) for rgb, alpha in page.strips())
    write_photo("negative.png", [(page, strips)])
"""
