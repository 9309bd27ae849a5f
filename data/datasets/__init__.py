"""The kinds of datasets that images come from: one file each, and what they share."""
