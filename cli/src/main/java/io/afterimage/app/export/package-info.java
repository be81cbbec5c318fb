/** What a server shows: points and overlays by name, and what has changed between them. */
package io.afterimage.app.export;
