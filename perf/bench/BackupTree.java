import io.afterimage.app.backup.BackUpImages;
import io.afterimage.app.backup.BaseImage;
import io.afterimage.assembly.Assembly;
import io.afterimage.capture.Progress;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.Selector;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.MachineName;
import io.afterimage.repository.KeySource;
import io.afterimage.repository.Repository;
import io.afterimage.settings.ImageSource;
import io.afterimage.settings.RepositoryLocation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * Backs up a base image and then machines that run on overlays, each with some 64 KiB blocks of its own, as `afterimage backup --image --base`
 * does, in one process. Prints the bytes that the machines wrote and the seconds that their backups took.
 *
 *   BackupTree REPOSITORY CACHE BASE FOLDER MACHINES CHANGED-BLOCKS
 */
final class BackupTree {

    private static final int BLOCK = 65536;

    public static void main(String... arguments) throws IOException, InterruptedException {
        Assembly assembly = new Assembly(Map.of("AFTERIMAGE_CACHE", arguments[1]));
        Path base = Path.of(arguments[2]);
        Path overlay = Path.of(arguments[3], "overlay.qcow2");
        int machines = Integer.parseInt(arguments[4]);
        int changed = Integer.parseInt(arguments[5]);
        Random random = new Random(1);
        long nanos = 0;
        try (Repository repository = assembly.open(RepositoryLocation.parse(arguments[0]), KeySource.NONE);
                ChunkIndex index = assembly.index(repository)) {
            BackUpImages backUp = assembly.backUpImages(repository, index);
            backUp.run(new BackUpImages.Request(new MachineName("base"), List.of(ImageSource.parse("disk=raw:" + base)), Optional.empty()), Progress.NONE);
            BaseImage root = assembly.baseImage(repository, index, Selector.parse("base"));
            int[] blocks = random.ints(0, (int) (Files.size(base) / BLOCK)).distinct().limit(changed).toArray();
            for (int machine = 0; machine < machines; machine++) {
                run("qemu-img", "create", "-q", "-f", "qcow2", "-b", base.toString(), "-F", "raw", overlay.toString());
                List<String> writes = new ArrayList<>(List.of("qemu-io", "-f", "qcow2"));
                for (int i = 0; i < changed; i++) {
                    byte[] block = new byte[BLOCK];
                    random.nextBytes(block);
                    Path file = Files.write(Path.of(arguments[3], "own" + i), block);
                    writes.addAll(List.of("-c", "write -s " + file + " " + (long) blocks[i] * BLOCK + " " + BLOCK));
                }
                writes.add(overlay.toString());
                run(writes.toArray(String[]::new));
                long begin = System.nanoTime();
                Point point = backUp.run(new BackUpImages.Request(
                        new MachineName("m" + machine), List.of(ImageSource.parse("vda=qcow2:" + overlay)), Optional.of(root),
                        Optional.empty(), Optional.empty(), Optional.empty()), Progress.NONE);
                nanos += System.nanoTime() - begin;
                if (point.bytes().read() != (long) changed * BLOCK) {
                    throw new IOException("more was read than the machine wrote: " + point);
                }
            }
        }
        System.out.println((long) machines * changed * BLOCK + " " + nanos / 1e9);
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + " ended with " + process.exitValue());
        }
    }
}
