package io.afterimage.app.backup;

import io.afterimage.app.Failures;
import io.afterimage.app.SourceException;
import io.afterimage.capture.qemu.HostCommand;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Cuts the disks of one or more machines at one instant: all guests are frozen, all disks cut, all guests thawed. When one fails
 * none is cut, as far as points are concerned, and all go on.
 */
final class CutTogether {

    private static final Logger LOG = LoggerFactory.getLogger(CutTogether.class);

    private final List<? extends CutMember> members;
    private final Quiescing quiescing;

    CutTogether(List<? extends CutMember> members, Quiescing quiescing) {
        this.members = members;
        this.quiescing = quiescing;
    }

    void run() throws IOException {
        Optional<HostCommand> post = quiescing.post();
        post.ifPresent(members.getFirst()::owe);
        try {
            if (quiescing.pre().isPresent()) {
                runPre(quiescing.pre().get());
            }
            cut();
        } finally {
            if (post.isPresent()) {
                runPost(post.get());
            }
        }
    }

    /** The nanoseconds from before the first cut to after the last, once they are made. A machine of libvirt's may have to be told first when its cut was. */
    long spread() {
        long first = members.stream().mapToLong(CutMember::beforeNanos).reduce((a, b) -> a - b < 0 ? a : b).orElseThrow();
        return members.stream().mapToLong(member -> member.afterNanos() - first).max().orElseThrow();
    }

    private static void runPre(HostCommand pre) throws SourceException {
        try {
            pre.run();
        } catch (IOException e) {
            throw new SourceException(e.getMessage() + ", so nothing was backed up: see what it says, or leave it out.", e);
        }
    }

    private void runPost(HostCommand post) {
        try {
            post.run();
        } catch (IOException e) {
            LOG.warn("After the disks were cut: {}", e.getMessage());
        } finally {
            members.getFirst().paid();
        }
    }

    private void cut() throws IOException {
        Failures failures = new Failures();
        failures.attempt(() -> {
            forAll(member -> member.freeze(quiescing));
            forAll(CutMember::cut);
        });
        // In any case, and each of them though another may not answer.
        failures.attempt(() -> forAll(member -> member.thaw(quiescing)));
        failures.throwFirst();
    }

    private interface Step {
        void run(CutMember member) throws IOException;
    }

    /** At once for all; returns when all are done, and throws the first failure. */
    private void forAll(Step step) throws IOException {
        // Not virtual ones: a call of libvirt's keeps its thread, and no member is to wait for a processor while another is cut.
        try (ExecutorService threads = Executors.newThreadPerTaskExecutor(Thread.ofPlatform().name("cut-", 0).factory())) {
            List<Future<Void>> running = members.stream()
                    .map(member -> threads.submit((Callable<Void>) () -> {
                        step.run(member);
                        return null;
                    }))
                    .toList();
            Failures failures = new Failures();
            for (Future<Void> one : running) {
                try {
                    one.get();
                } catch (ExecutionException e) {
                    failures.add(e.getCause() instanceof IOException known ? known : new IOException("a machine could not be cut", e.getCause()));
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new IOException("interrupted while disks were cut", e);
                }
            }
            failures.throwFirst();
        }
    }
}
