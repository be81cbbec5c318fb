/** Images on this host, as QEMU and its tools know them: what they are made of, who writes to them, and a way to read them. Opens no repository. */
package io.afterimage.app.image;
