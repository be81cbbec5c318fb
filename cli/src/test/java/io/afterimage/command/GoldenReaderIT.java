package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.afterimage.lab.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The pages, and the reader written from them, still describe what programs of the past have left. */
class GoldenReaderIT {

    @TempDir
    private Path folder;

    @Test
    void theReaderReadsTheGoldenRepositories() throws IOException {
        PointReader.require();
        Path golden = PointReader.checkout("chunk-cache/src/test/resources/golden/format-1");
        Path target = folder.resolve("read.raw");
        JsonNode expected = new JsonMapper().readTree(Files.readAllBytes(golden.resolve("expected.json")));
        assertEquals(42, expected.size());
        for (JsonNode disk : expected) {
            String repository = disk.get("repository").asString();
            List<String> key = switch (repository) {
                case "clear" -> List.of();
                case "key-file" -> List.of("--key-file", golden.resolve("site.key").toString());
                default -> List.of("--passphrase-file", golden.resolve("passphrase.txt").toString());
            };
            PointReader.read(
                            golden.resolve(repository),
                            disk.get("machine").asString(),
                            disk.get("disk").asString(),
                            disk.get("point").asString(),
                            target,
                            key)
                    .orFail();
            String sum = Tool.run("sha256sum", target.toString()).orFail().text();
            assertEquals(disk.get("sha256").asString(), sum.substring(0, 64), disk.toString());
        }
    }
}
