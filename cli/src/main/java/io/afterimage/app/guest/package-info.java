/** Files within the disks of a point, through a guest that reads its file systems. */
package io.afterimage.app.guest;
