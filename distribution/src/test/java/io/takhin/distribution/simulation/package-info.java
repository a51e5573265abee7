/// The broker under simulation: log, partitions and groups as they ship, on a simulated kernel and
/// disk, under clients and faults that follow from one seed.
@NullMarked
package io.takhin.distribution.simulation;

import org.jspecify.annotations.NullMarked;
