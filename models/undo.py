"""Undoing training steps that went wrong."""

import contextlib
from collections.abc import Iterable, Iterator

import tensorflow as tf

from models.layers.replicas import is_one_of_several


@contextlib.contextmanager
def undone_if_positive(count: tf.Variable, variables: Iterable) -> Iterator[None]:
    """Gives variables their earlier values back, if a count is positive at the end of the block.

    All variables are in memory twice meanwhile.

    Args:
        count: int variable, which the block may change.
        variables: iterable of the variables that the block may change.
    """
    variables = list({id(variable): variable for variable in variables}.values())
    # These are not copies: an assignment does not overwrite the memory of a tensor read before.
    before = [tf.convert_to_tensor(variable) for variable in variables]
    yield
    is_bad = count > 0
    pairs = list(zip(variables, before, strict=True))

    def undo():
        for variable, value in pairs:
            if not _involves_all_replicas(variable):
                variable.assign(value)

    tf.cond(is_bad, undo, lambda: None)
    for variable, value in pairs:
        if _involves_all_replicas(variable):
            variable.assign(tf.where(is_bad, value, variable))


def _involves_all_replicas(variable) -> bool:
    """Whether assigning the variable involves all replicas, which a condition cannot contain."""
    return is_one_of_several() and variable.aggregation == "only_first_replica"
