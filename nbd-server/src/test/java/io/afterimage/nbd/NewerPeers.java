package io.afterimage.nbd;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** The tools of a newer Debian, in a folder that is entered by chroot. Made once, by a script, and kept in the temporary folder. */
public record NewerPeers(Path root) {

    /** The tools, or a test that is skipped and says why. */
    public static NewerPeers get() throws IOException, InterruptedException {
        Path folder = Path.of(System.getProperty("java.io.tmpdir"), "afterimage-newer-peers");
        Peer.Result made = Peer.run("sh", "src/test/scripts/newer-peers.sh", folder.toString());
        if (made.code() != 0) {
            System.err.println("SKIPPED: the NBD tools of Debian 13 cannot be had (root and a Debian mirror are needed): " + made.output());
            Assumptions.abort("no newer peers: " + made.output());
        }
        return new NewerPeers(folder.resolve("root"));
    }

    /** Runs one of their programs to its end. */
    public Peer.Result run(String... command) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("chroot", root.toString()));
        arguments.addAll(List.of(command));
        return Peer.run(arguments.toArray(String[]::new));
    }

    /** A server of theirs. */
    public Peer serve(String... command) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("chroot", root.toString()));
        arguments.addAll(List.of(command));
        return Peer.serve(arguments.toArray(String[]::new));
    }

    /** A new file in their world. */
    public Path file(String suffix) throws IOException {
        return Files.createTempFile(Files.createDirectories(root.resolve("tmp")), "peer", suffix);
    }

    /** How that file is called from within. */
    public String within(Path file) {
        return "/" + root.relativize(file);
    }
}
