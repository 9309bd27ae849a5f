"""A person's photographs, in and out, nothing lost.

    photo = PhotoFile("grandmother.tif")
    for page in photo.pages:
        lightness = page.shrunk(192, 192)           # what a network looks at
    write_photo("colored.tif", photo, [colored_strips], quality=95)

Training pictures are read by `data.pictures`, which is faster and forgets all but 8 bits of color.
"""
