"""Sources of images: one module per kind of dataset, and the code that they share."""
