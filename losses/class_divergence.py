"""How far a class distribution is from a teacher's."""

from keras import ops


def class_divergence(teacher, logits):
    """The Kullback-Leibler divergence of the class head from the teacher.

    KL(y || p) = sum over classes of y (log y - log p), p the softmax of the logits; the mean over
    the images. Classes that the teacher excludes count nothing.

    Args:
        teacher: tensor of shape (batch, classes), distributions y.
        logits: tensor of shape (batch, classes), of the class head.

    Returns:
        A float32 scalar, in nats; 0 where both agree.

    Reference: Vitoria, Raad, Ballester, "ChromaGAN", WACV 2020, equation 3.
    """
    teacher = ops.cast(teacher, "float32")
    log_student = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    # Where y is 0, y log y is 0, and the gradient of no number.
    log_teacher = ops.log(ops.maximum(teacher, 1e-30))
    return ops.mean(ops.sum(teacher * (log_teacher - log_student), axis=-1))
