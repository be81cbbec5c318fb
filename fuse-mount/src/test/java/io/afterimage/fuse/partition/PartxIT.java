package io.afterimage.fuse.partition;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.afterimage.block.ByteRange;
import io.afterimage.block.FileDevice;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tables that sfdisk writes, as partx reads them, whose library follows the kernel: the same partitions, but the frames of logical ones, which are no data. */
class PartxIT {

    private static final int SECTOR = 512;
    private static final Set<String> EXTENDED = Set.of("0x5", "0xf", "0x85");

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {
        "label: gpt\n,10M\n,20M\n,\n",
        "label: gpt\ntable-length: 12\n5:start=10M,size=1M\n2:start=40M\n",
        "label: dos\n,10M\n,20M,S\n,,L\n",
        "label: dos\n,10M\n,,E\n,5M\n,7M,S\n,3M\n,\n",
        "label: dos\n4:start=1M,size=30M,type=f\n1:start=40M\n5:start=2M,size=3M\n6:start=20M,size=1M\n7:start=10M,size=1M\n",
        "label: dos\n"
    })
    void partxAgrees(String script) throws Exception {
        Path image = folder.resolve("disk.raw");
        run("truncate", "--size=64M", image.toString());
        Path input = Files.writeString(folder.resolve("script"), script);
        run("sh", "-c", "sfdisk --quiet " + image + " < " + input);
        List<Partition> found;
        try (FileDevice disk = FileDevice.openReadOnly(image)) {
            found = PartitionTable.read(disk);
        }
        List<Partition> expected = ofPartx(image);
        assertEquals(script.contains("size") || script.contains("10M"), !expected.isEmpty(), "partx is to find them");
        assertEquals(expected, found.stream().sorted(Comparator.comparingInt(Partition::number)).toList());
    }

    private static List<Partition> ofPartx(Path image) throws IOException, InterruptedException {
        String table = run("sh", "-c", "partx --raw --noheadings --output NR,START,SECTORS,TYPE " + image + " || true");
        return table.lines()
                .map(line -> line.split(" "))
                .filter(fields -> !EXTENDED.contains(fields[3]))
                .map(fields -> new Partition(
                        Integer.parseInt(fields[0]),
                        new ByteRange(Long.parseLong(fields[1]) * SECTOR, Long.parseLong(fields[2]) * SECTOR)))
                .sorted(Comparator.comparingInt(Partition::number))
                .toList();
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), () -> String.join(" ", command) + ": " + text + " (Debian's packages: fdisk, util-linux)");
        return text;
    }
}
