/// Extension point `cluster`: the metadata of the cluster, one replicated log of records that every
/// broker applies as image and delta. A single broker is a quorum of one.
package io.takhin.api.cluster;
