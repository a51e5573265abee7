/// Extension point `codec`: compression of record batches. Data passes through the broker as it
/// came; a codec is needed only where records must be seen or a topic asks for another codec.
package io.takhin.api.codec;
