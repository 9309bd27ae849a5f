"""The kinds of data sets that pictures come from: one file each, and what they share."""
