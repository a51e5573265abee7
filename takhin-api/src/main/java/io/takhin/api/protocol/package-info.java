/// Extension point `protocol`: stages 1 and 7 of 7, bytes to requests and answers to bytes.
package io.takhin.api.protocol;
