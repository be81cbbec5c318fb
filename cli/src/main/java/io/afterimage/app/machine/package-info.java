/** What a point keeps of a machine beside its disks, read again. */
package io.afterimage.app.machine;
