/** Disks of points as files and devices of this host. */
package io.afterimage.app.restore;
