/// The root of the contract: [Provider] is the shape of every extension point, [Service] the
/// lifecycle of what it makes, [PluginContext] what the kernel gives to it.
package io.takhin.api;
