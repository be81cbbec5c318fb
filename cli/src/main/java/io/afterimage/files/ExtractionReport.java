package io.afterimage.files;

import java.util.List;
import java.util.Map;

/**
 * What an extraction has done.
 *
 * @param folders made
 * @param files made, and everything else that is not a folder
 * @param bytes of content written
 * @param problems what is not there: could not be read, or not be made
 * @param losses what was made, but not as it was, and what is left out by intention: how often each happened
 */
public record ExtractionReport(long folders, long files, long bytes, List<FileProblem> problems, Map<String, Integer> losses) {}
