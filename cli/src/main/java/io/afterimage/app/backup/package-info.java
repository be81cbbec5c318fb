/** Points made: of machines that run, alone or in groups, of images that nobody writes to, of overlays. */
package io.afterimage.app.backup;
