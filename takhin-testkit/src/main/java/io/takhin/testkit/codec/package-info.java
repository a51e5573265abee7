/// The contract of extension point `codec`, and a fake with gzip alone.
package io.takhin.testkit.codec;
