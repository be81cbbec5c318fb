"""The measurements of perf/run: a module each, on a workshop that runs, times and clears away."""
