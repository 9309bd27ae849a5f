"""What the replicas of a model do together, where it is trained on several devices.

TensorFlow runs the step of a model once on each device, on that replica's part of the batch. All
functions here are called inside such a step, or inside one that runs alone: then there is one
replica, and they change nothing.
"""

import tensorflow as tf


def replicas() -> int:
    """How many replicas learn together."""
    return tf.distribute.get_strategy().num_replicas_in_sync if is_one_of_several() else 1


def sum_over_replicas(value: tf.Tensor) -> tf.Tensor:
    """The sum of what the replicas have, the same on all of them; it can be differentiated.

    Args:
        value: tensor of one shape on all replicas.
    """
    if not is_one_of_several():
        return value
    return tf.distribute.get_replica_context().all_reduce("sum", value)


def each_of_replicas(value: tf.Tensor) -> tf.Tensor:
    """What all replicas have, one after the other, of shape (replicas, ...); differentiable.

    Args:
        value: tensor of one shape on all replicas.
    """
    if not is_one_of_several():
        return value[None]
    own_place = tf.one_hot(_number(), replicas(), dtype=value.dtype)
    own_place = tf.reshape(own_place, [-1] + [1] * len(value.shape))
    return sum_over_replicas(own_place * value[None])


def own_part(of_all: tf.Tensor) -> tf.Tensor:
    """A replica's rows of what was drawn for the whole batch.

    Args:
        of_all: tensor whose first axis is the batch of all replicas, the same on all of them.
    """
    if not is_one_of_several():
        return of_all
    size = tf.shape(of_all)[0] // replicas()
    return of_all[_number() * size :][:size]


def gradients_of_mean(tape: tf.GradientTape, loss: tf.Tensor, variables: list) -> list:
    """A replica's part of the gradients of the mean of the losses of all replicas.

    Optimizers of Keras add up what the replicas bring.

    Args:
        tape: it has recorded the loss.
        loss: scalar, a mean over the replica's images.
        variables: what to differentiate by.
    """
    return tape.gradient(
        loss, variables, output_gradients=tf.constant(1.0 / replicas(), loss.dtype)
    )


def is_one_of_several() -> bool:
    """Whether this is the step of one replica of several."""
    context = tf.distribute.get_replica_context()
    return context is not None and context.num_replicas_in_sync > 1


def _number() -> tf.Tensor:
    return tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.int32)


def read(variable) -> tf.Tensor:
    """The number in a variable, between steps; this process' own copy where replicas have several.

    A metric's is the sum over all of them, which all workers have to ask for together.
    """
    # Python's `float` knows no variables of replicas.
    return tf.convert_to_tensor(variable)
