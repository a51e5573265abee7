/// One seed, one scheduler, one virtual clock, one disk that forgets: what a simulation of a broker
/// is made of. It knows no plugin; see `docs/architecture/simulation.md`.
package io.takhin.testkit.simulation;
