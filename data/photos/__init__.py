"""A person's photographs, in and out, nothing lost.

    [page] = PhotoFile("grandmother.png").pages
    small = page.shrunk(192, 192)                   # what a network looks at
    strips = (color(rgb) for rgb, alpha in page.strips())
    write_photo("colored.png", [(page, strips)])

Training images are read by `data.image_io`, which is faster and forgets all but 8 bits of color.
"""
