package io.afterimage.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Starts processes that cannot outlive the JVM. The kernel's parent-death signal is bound to the <em>thread</em> that
 * forked, so all forks happen on one thread that never ends; a test's own thread may come and go.
 */
final class Offspring {
    private static final ExecutorService FORKER =
            Executors.newSingleThreadExecutor(Thread.ofPlatform().name("forker").daemon().factory());

    private Offspring() {}

    static Process start(ProcessBuilder builder) {
        List<String> command = new ArrayList<>(List.of("setpriv", "--pdeathsig", "KILL", "--"));
        command.addAll(builder.command());
        builder.command(command);
        try {
            return FORKER.submit(builder::start).get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException cause
                    ? new UncheckedIOException("setpriv (package util-linux) does not start: " + cause.getMessage(), cause)
                    : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while starting " + builder.command(), e);
        }
    }
}
