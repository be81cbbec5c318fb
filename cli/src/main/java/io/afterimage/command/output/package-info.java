/** What a person sees and what a program reads: tables, progress, JSON. */
package io.afterimage.command.output;
