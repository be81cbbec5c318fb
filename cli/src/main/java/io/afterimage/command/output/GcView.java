package io.afterimage.command.output;

import io.afterimage.maintenance.GcReport;
import io.afterimage.maintenance.GcReport.Tally;
import io.afterimage.settings.ByteSize;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/**
 * What a garbage collection has done, as {@code --json} shows it. Fields may be added, never renamed or removed.
 *
 * @param liveBytes that points need
 * @param held what nobody needs and the store keeps all the same, by object lock
 * @param heldUntil when the first of that can be condemned; null if nothing is held
 * @param deletableFrom when the first of what is condemned may be deleted; null if nothing is
 */
public record GcView(
        boolean dryRun,
        int points,
        long liveBytes,
        Tally deleted,
        Tally condemned,
        Instant deletableFrom,
        int waitingForBackups,
        Packs compacted,
        Packs toCompact,
        Tally held,
        Instant heldUntil,
        Packs partlyDead,
        int missingPacks) {

    /** Packs, and the bytes in them that no point needs. */
    public record Packs(int packs, long bytes) {

        private static Packs of(Tally tally) {
            return new Packs(tally.packs(), tally.bytes());
        }
    }

    public static GcView of(GcReport report, boolean dryRun) {
        return new GcView(
                dryRun,
                report.points(),
                report.liveBytes(),
                report.deleted(),
                report.condemned(),
                report.deletableFrom().orElse(null),
                report.waitingForBackups(),
                Packs.of(report.compacted()),
                Packs.of(report.toCompact()),
                report.held(),
                report.heldUntil().orElse(null),
                Packs.of(report.partlyDead()),
                report.missingPacks());
    }

    /** A few lines. */
    public static String text(GcReport report, boolean dryRun) {
        List<List<String>> facts = new ArrayList<>();
        facts.add(List.of("needed", ByteSize.format(report.liveBytes()) + " by " + report.points() + " points"));
        facts.add(List.of(dryRun ? "would delete" : "deleted", tally(report.deleted())));
        String from = report.deletableFrom().map(time -> ", deletable from " + time.truncatedTo(ChronoUnit.SECONDS) + " on").orElse("");
        String backups = report.waitingForBackups() == 0 ? "" : ", when " + report.waitingForBackups() + " backups that run are over";
        facts.add(List.of(dryRun ? "would condemn" : "condemned", tally(report.condemned()) + from + backups));
        if (report.compacted().packs() > 0) {
            facts.add(List.of("compacted", report.compacted().packs() + " packs, " + ByteSize.format(report.compacted().bytes()) + " won"));
        }
        if (report.toCompact().packs() > 0) {
            facts.add(List.of("to compact", report.toCompact().packs() + " packs, to win " + ByteSize.format(report.toCompact().bytes()) + from));
        }
        report.heldUntil().ifPresent(until ->
                facts.add(List.of("locked", tally(report.held()) + " that nobody needs, kept by object lock, the first until " + until)));
        facts.add(List.of("partly dead", report.partlyDead().packs() + " packs that hold " + ByteSize.format(report.partlyDead().bytes())
                + " nobody needs"));
        if (report.missingPacks() > 0) {
            facts.add(List.of("missing", report.missingPacks() + " packs that points need: run 'afterimage verify'"));
        }
        return TextTable.of(facts);
    }

    private static String tally(Tally tally) {
        return tally.packs() + " packs and " + tally.manifests() + " manifests, " + ByteSize.format(tally.bytes());
    }
}
