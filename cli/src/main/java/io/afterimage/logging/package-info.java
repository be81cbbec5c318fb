/** What becomes of log lines. Known to nobody but the logging backend, which looks for it. */
package io.afterimage.logging;
