"""The kinds of datasets that pictures come from: one file each, and what they share."""
