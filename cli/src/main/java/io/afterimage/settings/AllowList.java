package io.afterimage.settings;

import io.afterimage.manifest.MachineName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Whose certificate opens the disks of which machines. A text file; each line names the subject of a certificate, and behind the last
 * colon the machines, of which {@code *} stands for any run of characters:
 *
 * <pre>
 * # who                        what
 * anna                       : web, db-*
 * CN=bert,O=Example          : mail
 * operator                   : *
 * </pre>
 *
 * <p>A subject without {@code =} is a common name; one with it is a whole distinguished name (RFC 2253). Lines of one subject add up.
 * Who is not named sees nothing. Immutable.
 */
public final class AllowList {

    private static final Pattern MACHINES = Pattern.compile("[A-Za-z0-9*][A-Za-z0-9._*-]*");

    private record Line(CertificateSubject subject, List<Pattern> machines) {}

    private final List<Line> lines;

    private AllowList(List<Line> lines) {
        this.lines = List.copyOf(lines);
    }

    /**
     * Reads a file.
     *
     * @throws IllegalArgumentException with one sentence that names file and line, if it cannot be read or understood
     */
    public static AllowList read(Path file) {
        List<String> text;
        try {
            text = Files.readAllLines(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalArgumentException("The allow list " + file + " cannot be read (" + e + "): check its name and its mode.", e);
        }
        List<Line> lines = new ArrayList<>();
        for (int number = 1; number <= text.size(); number++) {
            String line = text.get(number - 1).strip();
            if (!line.isEmpty() && !line.startsWith("#")) {
                try {
                    lines.add(parse(line));
                } catch (IllegalArgumentException e) {
                    throw new IllegalArgumentException("Line " + number + " of the allow list " + file + " makes no sense: " + e.getMessage()
                            + "; write 'SUBJECT : MACHINE, MACHINE', for example 'anna : web, db-*'.", e);
                }
            }
        }
        return new AllowList(lines);
    }

    private static Line parse(String line) {
        // No machine has a colon in its name, but a distinguished name may.
        int colon = line.lastIndexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException("it has no colon between the subject and the machines");
        }
        List<Pattern> machines = new ArrayList<>();
        for (String machine : line.substring(colon + 1).strip().split("[,\\s]+", -1)) {
            if (!MACHINES.matcher(machine).matches()) {
                throw new IllegalArgumentException("'" + machine + "' is neither a machine nor a pattern of machines");
            }
            machines.add(Pattern.compile(("\\Q" + machine + "\\E").replace("*", "\\E.*\\Q")));
        }
        return new Line(CertificateSubject.parse(line.substring(0, colon).strip()), machines);
    }

    /** Whether the owner of a certificate with this subject (a distinguished name, RFC 2253) may see the machine. */
    public boolean admits(String subject, MachineName machine) {
        return lines.stream()
                .filter(line -> line.subject().names(subject))
                .flatMap(line -> line.machines().stream())
                .anyMatch(pattern -> pattern.matcher(machine.text()).matches());
    }
}
