package io.afterimage.capture.qemu;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A backup in a process of its own, which gets as far as a phase, and stands there until it is killed. */
final class BackupProcess implements AutoCloseable {

    /** How far it gets. */
    enum Phase {
        FOLDER(0),
        VIEWS(1),
        SERVER(2),
        CUT(3),
        EXPORTED(4),
        /** The whole of {@link Cut#begin}, so with a watchdog. */
        BEGUN(4),
        COMMITTING(4);

        private final int steps;

        Phase(int steps) {
            this.steps = steps;
        }
    }

    private final Process process;

    private BackupProcess(Process process) {
        this.process = process;
    }

    /** Starts it and waits until it has reached the phase. */
    static BackupProcess start(Path qmp, Path scratch, Checkpoint checkpoint, Map<String, CutPlan.Base> bases, Phase phase)
            throws IOException {
        BackupProcess backup = begin(qmp, scratch, checkpoint, bases, phase);
        BufferedReader output = backup.process.inputReader(StandardCharsets.UTF_8);
        String line = output.readLine();
        if (!phase.name().equals(line)) {
            backup.close();
            throw new AssertionError("the backup did not get to " + phase + ": " + line);
        }
        return backup;
    }

    /** Starts it, and does not wait. */
    static BackupProcess begin(Path qmp, Path scratch, Checkpoint checkpoint, Map<String, CutPlan.Base> bases, Phase phase)
            throws IOException {
        var text = new StringBuilder();
        bases.forEach((name, base) -> text.append(name).append('=').append(base.pointId()).append('=').append(base.diskSize()).append(' '));
        return new BackupProcess(new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1", "-Xmx64m",
                        "-cp", System.getProperty("java.class.path"), BackupProcess.class.getName(),
                        qmp.toString(), scratch.toString(), checkpoint.name(), text.toString().strip(), phase.name()))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start());
    }

    /** SIGKILL for the backup alone. */
    void kill() {
        process.destroyForcibly().onExit().join();
    }

    /** SIGKILL for the watchdog, if there is one, and the backup. */
    void killWithWatchdog() {
        process.descendants().toList().forEach(child -> {
            child.destroyForcibly();
            child.onExit().join();
        });
        kill();
    }

    List<ProcessHandle> watchdogs() {
        return process.children().toList();
    }

    @Override
    public void close() {
        killWithWatchdog();
    }

    public static void main(String[] args) throws IOException {
        Path scratch = Path.of(args[1]);
        Phase phase = Phase.valueOf(args[4]);
        QmpClient client = QmpClient.connect(Path.of(args[0]));
        var bases = new HashMap<String, CutPlan.Base>();
        for (String base : args[3].isEmpty() ? new String[0] : args[3].split(" ", -1)) {
            String[] parts = base.split("=", -1);
            bases.put(parts[0], new CutPlan.Base(parts[1], parts[0], Long.parseLong(parts[2])));
        }
        CutPlan plan = TwoDiskMachine.plan(client, scratch, Checkpoint.parse(args[2]).orElseThrow(), bases);
        if (phase.compareTo(Phase.BEGUN) >= 0) {
            Cut cut = Cut.begin(client, plan);
            if (phase == Phase.COMMITTING) {
                cut.committing();
            }
        } else {
            ScratchFolder folder = ScratchFolder.create(plan.scratch(), plan.checkpoint().pointId(), client);
            var fleecing = new Fleecing(client, plan, folder);
            List<Step> steps = List.of(fleecing::addViews, fleecing::startServer, fleecing::cut, fleecing::export);
            for (Step step : steps.subList(0, phase.steps)) {
                step.run();
            }
        }
        System.out.println(phase);
        System.in.read();
    }

    @FunctionalInterface
    private interface Step {
        void run() throws IOException;
    }
}
