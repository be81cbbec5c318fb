package io.afterimage.store.s3;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Runs blocking network calls so that interrupting the caller ends them. A socket read of a platform thread cannot be interrupted, one of a
 * virtual thread can: so the call is made on a virtual thread, and never outlives this method, since it works on the caller's buffers.
 */
final class InterruptibleCall {

    private InterruptibleCall() {}

    /** Throws {@link InterruptedException}, the interrupt flag set, if the caller was interrupted and the call did not come to its end. */
    static <T> T run(Callable<T> call) throws Exception {
        if (Thread.currentThread().isInterrupted()) {
            throw new InterruptedException();
        }
        FutureTask<T> task = new FutureTask<>(call);
        Thread thread = Thread.startVirtualThread(task);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (ExecutionException e) {
                    if (interrupted) {
                        throw new InterruptedException();
                    }
                    throw e.getCause() instanceof Exception cause ? cause : e;
                } catch (InterruptedException e) {
                    interrupted = true;
                    thread.interrupt();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
