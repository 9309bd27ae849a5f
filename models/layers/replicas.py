"""Communication between the replicas of a model that is trained on several devices.

TensorFlow runs the step of a model once on each device, on that replica's part of the batch. The
functions here are called inside such a step. Inside the step of a single device they change
nothing.
"""

import keras
import tensorflow as tf


def replicas() -> int:
    """The number of replicas that are trained together."""
    return tf.distribute.get_strategy().num_replicas_in_sync if is_one_of_several() else 1


def sum_over_replicas(value: tf.Tensor) -> tf.Tensor:
    """Sums a value over all replicas; the result is the same on all of them and differentiable.

    Args:
        value: tensor, with the same shape on all replicas.
    """
    if not is_one_of_several():
        return value
    return tf.distribute.get_replica_context().all_reduce("sum", value)


def each_of_replicas(value: tf.Tensor) -> tf.Tensor:
    """Stacks the values of all replicas, to shape (replicas, ...); the result is differentiable.

    Args:
        value: tensor, with the same shape on all replicas.
    """
    if not is_one_of_several():
        return value[None]
    own_row = tf.one_hot(_number(), replicas(), dtype=value.dtype)
    own_row = tf.reshape(own_row, [-1] + [1] * len(value.shape))
    return sum_over_replicas(own_row * value[None])


def own_part(of_all: tf.Tensor) -> tf.Tensor:
    """Returns a replica's rows of random values that were drawn for the whole batch.

    Args:
        of_all: tensor whose first axis is the batch of all replicas, the same on all of them.
    """
    if not is_one_of_several():
        return of_all
    size = tf.shape(of_all)[0] // replicas()
    return of_all[_number() * size :][:size]


def gradients_of_mean(tape: tf.GradientTape, loss: tf.Tensor, variables: list) -> list:
    """Returns a replica's part of the gradients of the mean loss of all replicas.

    Keras' optimizers add up the gradients of the replicas.

    Args:
        tape: `tf.GradientTape` that has recorded the loss.
        loss: scalar, the mean over the replica's images.
        variables: list of variables to differentiate by.
    """
    return tape.gradient(
        loss, variables, output_gradients=tf.constant(1.0 / replicas(), loss.dtype)
    )


def is_one_of_several() -> bool:
    """Whether this is a step of one of several replicas."""
    context = tf.distribute.get_replica_context()
    return context is not None and context.num_replicas_in_sync > 1


def _number() -> tf.Tensor:
    return tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.int32)


def read(variable: tf.Variable | keras.Variable) -> tf.Tensor:
    """Reads a scalar variable between steps; of several replicas, the copy of this process.

    For a metric it is the sum over all replicas, which all workers have to read together.
    """
    # Python's `float` does not accept variables of replicas.
    return tf.convert_to_tensor(variable)
