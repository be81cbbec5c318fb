package io.afterimage.store;

/** The four things that can be asked of a store. */
public enum Operation {
    PUT,
    GET,
    LIST,
    DELETE;

    /** Whether the operation changes what is stored, so that its failure leaves a question open. */
    public boolean changes() {
        return this == PUT || this == DELETE;
    }
}
