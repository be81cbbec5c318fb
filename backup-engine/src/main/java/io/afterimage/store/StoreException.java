package io.afterimage.store;

import java.io.IOException;

/**
 * A store did not do what it was asked. The facts are in the fields; {@link #getMessage} joins them to one sentence for the user.
 * It is classified where it is thrown, since only there is known what was sent and what came back.
 */
public sealed class StoreException extends IOException permits ObjectNotFoundException {

    private static final long serialVersionUID = 1;

    /** A store's own words may be long, or hostile. */
    private static final int MAX_EXPLANATION = 300;

    /** What the failure means for whoever thinks of asking again. */
    public enum Outcome {
        /** Nothing was changed, and asking again will fail again. */
        FATAL,
        /** Nothing was changed; asking again may succeed. */
        TRANSIENT,
        /**
         * A PUT or DELETE whose effect is unknown: it may have happened, or not, or <em>may still happen later</em>. Asking again is
         * safe, since both are idempotent; to give the key another meaning afterwards is not.
         */
        AMBIGUOUS
    }

    private final Operation operation;
    private final String subject;
    private final String store;
    private final Problem problem;
    private final Outcome outcome;

    /**
     * @param subject the key or prefix that was asked for
     * @param store   the store's name for its user: a folder, a URL without secrets
     * @param cause   what the file system or SDK threw, or null
     */
    public StoreException(Operation operation, String subject, String store, Problem problem, Outcome outcome, Throwable cause) {
        super(problem.text(), cause);
        if (outcome == Outcome.AMBIGUOUS && !operation.changes()) {
            throw new IllegalArgumentException(operation + " changes nothing, so it cannot be ambiguous");
        }
        this.operation = operation;
        this.subject = subject;
        this.store = store;
        this.problem = problem;
        this.outcome = outcome;
    }

    public final Operation operation() {
        return operation;
    }

    public final String subject() {
        return subject;
    }

    public final String store() {
        return store;
    }

    public final Problem problem() {
        return problem;
    }

    public final Outcome outcome() {
        return outcome;
    }

    /** The same failure, seen by someone who knows that an earlier attempt may have taken effect. */
    final StoreException asAmbiguous() {
        return outcome == Outcome.AMBIGUOUS ? this : new StoreException(operation, subject, store, problem, Outcome.AMBIGUOUS, this);
    }

    @Override
    public final String getMessage() {
        return operation + (subject.isEmpty() ? "" : " " + subject) + " in " + store + ": " + problem.text() + explanation();
    }

    private String explanation() {
        Throwable cause = getCause();
        if (cause == null || cause.getMessage() == null || cause instanceof StoreException || !problem.isExplainedByCause()) {
            return "";
        }
        String line = cause.getMessage().lines().findFirst().orElse("").strip();
        return " (" + line.substring(0, Math.min(line.length(), MAX_EXPLANATION)) + ")";
    }
}
