/// What every protocol server does, and a smallest one.
package io.takhin.testkit.protocol;
