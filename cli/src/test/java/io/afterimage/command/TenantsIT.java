package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.CertificateAuthority;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code afterimage serve --tls require --tls-allow}, with the TLS of libnbd and QEMU: a tenant gets at its own machines, and that is the world. */
class TenantsIT {

    @TempDir
    static Path folder;

    private static Program afterimage;
    private static ServedRepository served;
    private static CertificateAuthority authority;
    private static Path anna;
    private static Path bert;
    private static Path operator;
    private static Path image;

    @BeforeAll
    static void serve() throws IOException {
        authority = CertificateAuthority.create(folder.resolve("pki"));
        anna = authority.client("/CN=anna");
        bert = authority.client("/O=Example/CN=bert");
        operator = authority.client("/CN=operator");
        afterimage = new Program(folder);
        afterimage.run("init").orFail();
        byte[] bytes = new byte[700_000];
        new Random(1).nextBytes(bytes);
        image = afterimage.image("disk.raw", 1_000_448, bytes);
        for (String machine : new String[] {"web", "web-2", "mail"}) {
            afterimage.run("backup", machine, "--image", "vda=" + image).orFail();
        }
        Path allowed = Files.writeString(folder.resolve("allowed"), "anna : web, web-*\nCN=bert,O=Example : mail\noperator : *\n");
        served = ServedRepository.start(afterimage, folder, "--nbd", "tcp:127.0.0.1:0", "--tls", "require",
                "--tls-certificates", authority.folder().toString(), "--tls-allow", allowed.toString(), "--max-payload", "2M");
    }

    @AfterAll
    static void end() {
        if (served != null) {
            served.close();
        }
    }

    private static String uri(Path client, String export) {
        return "nbds+unix:///" + export + "?socket=" + served.socket() + "&tls-certificates=" + client;
    }

    private static SortedSet<String> machinesListedFor(Path client) {
        SortedSet<String> machines = new TreeSet<>();
        Tool.run("nbdinfo", "--list", uri(client, "")).orFail().text().lines()
                .filter(line -> line.startsWith("export=\""))
                .forEach(line -> machines.add(line.replaceAll("export=\"(.*)/.*", "$1")));
        return machines;
    }

    @Test
    void eachListsItsOwn() {
        assertEquals("[web, web-2]", machinesListedFor(anna).toString());
        assertEquals("[mail]", machinesListedFor(bert).toString());
        assertEquals("[mail, web, web-2]", machinesListedFor(operator).toString());
    }

    @Test
    void eachReadsItsOwnByLibnbdAndQemu() {
        Path copy = folder.resolve("copy.raw");
        Tool.run("nbdcopy", uri(anna, "web-2/vda@latest"), copy.toString()).orFail();
        assertEquals(ServedRepository.sha256(image), ServedRepository.sha256(copy));
        qemuCompare(bert, "mail/vda@latest").orFail();
        // bert has one machine with one disk, which is therefore the default.
        Tool.run("nbdcopy", uri(bert, ""), copy.toString()).orFail();
        assertEquals(ServedRepository.sha256(image), ServedRepository.sha256(copy));
        String info = Tool.run("nbdinfo", uri(bert, "mail/vda")).orFail().text();
        assertTrue(info.contains("block_size_maximum: 2097152"), info);
        String map = Tool.run("nbdinfo", "--map", uri(bert, "mail/vda")).orFail().text();
        assertTrue(map.contains("hole,zero"), map);
    }

    private static Tool.Result qemuCompare(Path client, String export) {
        return Tool.run("qemu-img", "compare", "--object", "tls-creds-x509,id=t,endpoint=client,dir=" + client, "--image-opts",
                "driver=file,filename=" + image,
                "driver=nbd,server.type=unix,server.path=" + served.socket() + ",export=" + export + ",tls-creds=t,tls-hostname=localhost");
    }

    /** Whatever a client tries, the answer is that to a machine which does not exist. */
    @Test
    void anothersMachineIsOneThatDoesNotExist() {
        for (String selector : new String[] {"MACHINE", "MACHINE/vda", "MACHINE/vda@latest", "MACHINE@0", "MACHINE/none", "MACHINE@2001-01-01"}) {
            // GO is preceded by a SET_META_CONTEXT.
            for (String ask : new String[] {"h.opt_go()", "h.opt_info()", "h.opt_list_meta_context(lambda x: 0)"}) {
                assertEquals(answer(anna, selector.replace("MACHINE", "nono"), ask), answer(anna, selector.replace("MACHINE", "mail"), ask));
            }
        }
        assertEquals("in", answer(anna, "web/vda", "h.opt_go()").strip());
        assertFalse(qemuCompare(anna, "mail/vda@latest").exit() == 0);
        assertFalse(Tool.run("nbdinfo", uri(anna, "mail/vda")).exit() == 0);
    }

    /** What a client is told that asks this for that export; the machine's name, which it has said itself, left out. */
    private static String answer(Path client, String export, String ask) {
        return Tool.run("/usr/bin/python3", "-c", """
                import nbd
                h = nbd.NBD()
                h.set_uri_allow_local_file(True)
                h.set_opt_mode(True)
                h.add_meta_context('base:allocation')
                h.connect_uri('%s')
                try:
                    %s
                    print('in')
                except nbd.Error as e:
                    print(e.errno, e.string)
                """.formatted(uri(client, export), ask)).orFail().text().replaceAll("nono|mail", "MACHINE");
    }

    @Test
    void nobodyElseGetsIn() {
        Path stranger = CertificateAuthority.create(folder.resolve("elsewhere")).client("/CN=anna");
        Tool.run("cp", authority.folder().resolve("ca-cert.pem").toString(), stranger.toString()).orFail();
        for (Path client : new Path[] {stranger, authority.anonymous("-nobody")}) {
            assertFalse(Tool.run("nbdinfo", uri(client, "web/vda")).exit() == 0);
            assertFalse(qemuCompare(client, "web/vda").exit() == 0);
        }
        assertFalse(Tool.run("nbdinfo", "--list", served.uri("")).exit() == 0);
        // Signed, but on no line of the list: in, and nothing there.
        Path unknown = authority.client("/CN=unknown");
        assertEquals("[]", machinesListedFor(unknown).toString());
        assertFalse(Tool.run("nbdinfo", uri(unknown, "web/vda")).exit() == 0);
        assertEquals("[web, web-2]", machinesListedFor(anna).toString());
    }

    @Test
    void theSocketIsForItsOwner() throws IOException {
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(served.socket())));
    }
}
