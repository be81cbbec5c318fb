/** What the user has asked for, as values that are checked once, where they come in. Opens nothing. */
package io.afterimage.settings;
