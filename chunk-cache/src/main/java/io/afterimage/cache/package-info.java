/** What has been fetched and verified once, kept for the next who asks. Losing any of it costs time and nothing else. */
package io.afterimage.cache;
