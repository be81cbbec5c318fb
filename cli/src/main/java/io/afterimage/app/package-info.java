/**
 * What one can do with Afterimage, a use case a class. Knows of no command line and no terminal; whoever calls renders the result. Here is what concerns
 * whole repositories, and what several of the packages below need.
 */
package io.afterimage.app;
