package io.afterimage.posix;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** Where what is a matter of all threads of a process is tried: it has no way back, and must not befall others' tests. */
final class JvmOfItsOwn {

    private JvmOfItsOwn() {}

    /** What a thread does. */
    @FunctionalInterface
    interface Step {
        void run() throws IOException;
    }

    /** In it: changes all its threads, and then has three print, one after the other: one that was there before, the one that made the change, and one that begins later. */
    static void observe(Step change, Step print) throws IOException, InterruptedException {
        CountDownLatch changed = new CountDownLatch(1);
        Thread before = Thread.ofPlatform().start(() -> {
            try {
                changed.await();
                print.run();
            } catch (InterruptedException | IOException e) {
                throw new IllegalStateException(e);
            }
        });
        change.run();
        changed.countDown();
        before.join();
        print.run();
        Thread.ofPlatform().start(() -> {
            try {
                print.run();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }).join();
    }

    /**
     * Runs a class in it, to its end, and returns what that printed.
     *
     * @param by what the JVM is started by, such as {@code nice}; may be empty
     */
    static String said(List<String> by, Class<?> main, String... arguments) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(by);
        words.addAll(List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        words.addAll(List.of(arguments));
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        return said;
    }
}
