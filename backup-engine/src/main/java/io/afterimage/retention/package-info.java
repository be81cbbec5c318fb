/**
 * Which points to keep: a pure function of the points there are, the rules, and the points that are protected. It reads and deletes nothing.
 */
package io.afterimage.retention;
