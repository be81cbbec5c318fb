/** A machine that runs from a point at once, what becomes of what it writes, and the move of its disks to this host while it runs. */
package io.afterimage.app.boot;
