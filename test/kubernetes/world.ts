/** What most of these tests begin with. @module */
import { startCluster, type ClusterOptions, type TestCluster } from './cluster.js'
import { startSignedImages, type SignedImages } from './images.js'
import type { Opened } from './opened.js'

/** A cluster, and a registry of images that people sign. */
export async function startClusterAndImages(
  opened: Opened,
  options: ClusterOptions = {},
): Promise<[TestCluster, SignedImages]> {
  return await Promise.all([
    startCluster(options).then((started) => opened.add(started)),
    startSignedImages().then((started) => opened.add(started)),
  ])
}
