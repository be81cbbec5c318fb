/** The command line: one command a file, which parses, calls one use case and renders what it returns. */
package io.afterimage.command;
