/**
 * What one can do with Afterimage, a use case a class: back up, serve, restore, boot. Knows of no command line and no terminal;
 * whoever calls renders the result.
 */
package io.afterimage.app;
