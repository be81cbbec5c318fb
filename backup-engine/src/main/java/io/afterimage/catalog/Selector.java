package io.afterimage.catalog;

import io.afterimage.catalog.CatalogException.Reason;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How people name a point, or one disk of it: {@code machine[/disk][@point]}. The point is {@code latest} (also when left out),
 * a point id or the beginning of one, or an ISO-8601 instant, which stands for the newest point not after it; an instant
 * without an offset is UTC, a date alone is the end of that day.
 *
 * @param machine the machine
 * @param disk the disk, if one was named
 * @param point which of the machine's points
 */
public record Selector(MachineName machine, Optional<DiskName> disk, Which point) {

    private static final Pattern ID_PREFIX = Pattern.compile("[0-9a-f]{1,32}");

    /** Which of a machine's points. */
    public sealed interface Which {

        /** The newest. */
        record Latest() implements Which {
            @Override
            public String toString() {
                return "latest";
            }
        }

        /** The one whose id begins with these hex digits. */
        record Id(String prefix) implements Which {
            @Override
            public String toString() {
                return prefix;
            }
        }

        /** The newest that is not after this instant. */
        record At(Instant instant) implements Which {
            @Override
            public String toString() {
                return instant.toString();
            }
        }
    }

    /** Reads what {@link #toString} writes, and the shorter forms. */
    public static Selector parse(String text) throws CatalogException {
        int at = text.indexOf('@');
        String name = at < 0 ? text : text.substring(0, at);
        int slash = name.indexOf('/');
        try {
            return new Selector(
                    new MachineName(slash < 0 ? name : name.substring(0, slash)),
                    slash < 0 ? Optional.empty() : Optional.of(new DiskName(name.substring(slash + 1))),
                    at < 0 ? new Which.Latest() : which(text.substring(at + 1)));
        } catch (IllegalArgumentException | DateTimeException e) {
            throw new CatalogException(
                    Reason.NOT_A_SELECTOR,
                    "'" + text + "' is not a selector: write machine, machine/disk or machine/disk@point, "
                            + "where the point is 'latest', the beginning of a point id, or a time such as 2026-03-01T04:00:00Z.",
                    e);
        }
    }

    private static Which which(String text) {
        if (text.equals("latest")) {
            return new Which.Latest();
        }
        return ID_PREFIX.matcher(text).matches() ? new Which.Id(text) : new Which.At(instant(text));
    }

    private static Instant instant(String text) {
        if (!text.contains("T")) {
            return LocalDate.parse(text).plusDays(1).atStartOfDay().toInstant(ZoneOffset.UTC).minusNanos(1);
        }
        boolean hasOffset = text.endsWith("Z") || text.lastIndexOf('+') > 10 || text.lastIndexOf('-') > 10;
        return hasOffset ? OffsetDateTime.parse(text).toInstant() : LocalDateTime.parse(text).toInstant(ZoneOffset.UTC);
    }

    @Override
    public String toString() {
        return machine + disk.map(name -> "/" + name).orElse("") + "@" + point;
    }
}
