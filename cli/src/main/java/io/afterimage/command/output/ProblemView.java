package io.afterimage.command.output;

import io.afterimage.files.FileProblem;

/** A file of a guest that could not be read or made, as {@code --json} shows it. */
public record ProblemView(String path, String reason) {

    static ProblemView of(FileProblem problem) {
        return new ProblemView(problem.path().text(), problem.reason());
    }
}
