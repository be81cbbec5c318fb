package io.afterimage.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.manifest.MachineName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class AllowListTest {

    @TempDir
    Path folder;

    private AllowList list(String... lines) throws IOException {
        return AllowList.read(Files.writeString(folder.resolve("allowed"), String.join("\n", lines)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "CN=anna; web; true",
        "CN=anna; db-1; true",
        "CN=anna; db-; true",
        "CN=anna; xdb-1; false",
        "CN=anna; webx; false",
        "CN=anna; mail; true",
        "CN=anna; other; false",
        "CN=Anna; web; false",
        "CN=anna2; web; false",
        "CN=anna,O=Example; web; true",
        "O=anna; web; false",
        "OU=anna,CN=bert; web; false",
        "CN=anna,CN=bert; web; false",
        "CN=bert,CN=anna; web; false",
        "CN=\\,anna; web; false",
        "CN=#0c04616e6e61; web; false",
        "CN=bert,O=Example; mail; true",
        "cn=BERT, o=example; mail; true",
        "O=Example,CN=bert; mail; false",
        "CN=bert; mail; false",
        "CN=bert,O=Example,C=DE; mail; false",
        "CN=a:b,O=x; mail.2; true",
        "CN=a:b,O=x; mailx2; false",
        "CN=operator; anything-at-all; true",
        "; web; false",
    })
    void whoSeesWhat(String subject, String machine, boolean admitted) throws IOException {
        AllowList list = list(
                "# who: what", "", "anna : web, db-*", "  anna:mail", "CN=bert,O=Example : mail", "CN=a:b,O=x : mail.2", "operator : *");
        assertEquals(admitted, list.admits(subject == null ? "" : subject, new MachineName(machine)));
    }

    @Test
    void anEmptyListAdmitsNobody() throws IOException {
        assertFalse(list("# nobody yet").admits("CN=anna", new MachineName("web")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"anna web", "anna :", ": web", "anna : we(b", "CN=,=x : web", "anna : web/vda", "anna : -x"})
    void aLineWithoutSenseIsNamed(String line) {
        String message = assertThrows(IllegalArgumentException.class, () -> list("operator : *", "", line)).getMessage();
        assertTrue(message.startsWith("Line 3 of the allow list " + folder.resolve("allowed") + " makes no sense: "), message);
        assertTrue(message.endsWith("."), message);
    }

    @Test
    void aFileThatIsNotThereIsNamed() {
        Path file = folder.resolve("none");
        String message = assertThrows(IllegalArgumentException.class, () -> AllowList.read(file)).getMessage();
        assertTrue(message.startsWith("The allow list " + file + " cannot be read"), message);
    }
}
