package io.afterimage.capture.libvirt;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every way in which there is no libvirt to talk to ends in a sentence. */
final class LibvirtConnectionTest {

    private static void assertRefused(String words, String uri) {
        String sentence = assertThrows(LibvirtException.class, () -> LibvirtConnection.open(uri).close()).getMessage();
        assertTrue(sentence.contains(words), sentence);
    }

    @Test
    void anotherHostsDisksCannotBeRead() {
        assertRefused("run the backup on that host", "qemu+ssh://root@elsewhere/system");
    }

    @Test
    void whatIsNoUriIsRefused() {
        assertRefused("is no libvirt URI", "qemu system");
    }

    /** On a host without the library the sentence names its package. */
    @Test
    void aDaemonThatDoesNotAnswerIsNamed(@TempDir Path folder) {
        String uri = "qemu+unix:///system?socket=" + folder.resolve("none");
        String sentence = assertThrows(LibvirtException.class, () -> LibvirtConnection.open(uri).close()).getMessage();
        assertTrue(sentence.contains("see that libvirtd runs") || sentence.contains("install the package libvirt0"), sentence);
    }
}
