/** The one place where settings become components: which store stands under which decorators, who shares what. */
package io.afterimage.assembly;
