package io.afterimage.capture.qemu;

/** QEMU does not answer at all: there is no use in asking it for something else. */
final class NoAnswerException extends QmpException {

    private static final long serialVersionUID = 1L;

    NoAnswerException(String message, Throwable cause) {
        super(message, cause);
    }
}
