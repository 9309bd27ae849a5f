"""The divergence of a class distribution from that of the teacher."""

from keras import KerasTensor as Tensor
from keras import ops


def class_divergence(teacher: Tensor, logits: Tensor) -> Tensor:
    """Computes the Kullback-Leibler divergence of the class head from the teacher.

    The divergence KL(y || p) is the sum over all classes of y (log y - log p), where p is the
    softmax of the logits. Classes to which the teacher gives probability 0 contribute nothing.

    Args:
        teacher: tensor of shape (batch, classes), the distributions y.
        logits: tensor of shape (batch, classes), the logits of the class head.

    Returns:
        float32 scalar, the mean over the batch in nats; 0 if both distributions are equal.

    Example:
        teacher = ops.softmax(ops.array([[2.0, 1.0]]))
        class_divergence(teacher, logits=ops.zeros((1, 2)))      # about 0.11

    Reference: Vitoria, Raad, Ballester, "ChromaGAN", WACV 2020, equation 3.
    """
    teacher = ops.cast(teacher, "float32")
    log_student = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    # For y = 0, y log y is 0, but log 0 would make it NaN.
    log_teacher = ops.log(ops.maximum(teacher, 1e-30))
    return ops.mean(ops.sum(teacher * (log_teacher - log_student), axis=-1))
