/** From flags to the images that are looked at. @module */
import { collectCluster } from '#inventory/collect/cluster'
import { imagesOfText, namedImage } from '#inventory/collect/image-list'
import { imagesOfManifests } from '#inventory/collect/manifests'
import type { Collected } from '#inventory/collect/sighting'
import type { Host } from '../kit/host.js'
import { asText, readFileOrStdin } from '../read-input.js'

export interface SourceFlags {
  readonly cluster: boolean
  readonly kubeconfig: string | undefined
  readonly context: string | undefined
  readonly namespace: readonly string[]
  readonly manifest: readonly string[]
  readonly 'image-list': string | undefined
}

/** Whether anything is named to look at. */
export function namesSources(flags: SourceFlags, images: readonly string[]): boolean {
  return namesCluster(flags) || images.length + flags.manifest.length > 0 || flags['image-list'] !== undefined
}

export function namesCluster({ cluster, kubeconfig, context, namespace }: SourceFlags): boolean {
  return cluster || kubeconfig !== undefined || context !== undefined || namespace.length > 0
}

/** Everything that is named; a cluster that cannot be read, or a file that is none, ends it. */
export async function collectSources(
  host: Host,
  flags: SourceFlags,
  { images, signal }: { readonly images: readonly string[]; readonly signal: AbortSignal },
): Promise<readonly Collected[]> {
  const { kubeconfig, context, namespace, manifest, 'image-list': list } = flags
  const collected: Collected[] = []
  if (namesCluster(flags)) {
    const api = await host.openCluster({ kubeconfig, context })
    const found = await collectCluster(api, { namespaces: namespace, signal })
    const cluster = context === undefined ? 'the cluster' : `the cluster of ${context}`
    collected.push({ ...found, source: `${cluster}, ${found.source}` })
  }
  for (const path of (await Promise.all(manifest.map(async (each) => await manifestFiles(host, each)))).flat()) {
    const text = asText(await readFileOrStdin(host, path), path)
    collected.push({ sightings: await imagesOfManifests(text, path), source: nameOf(path), notes: [] })
  }
  if (list !== undefined) {
    const text = asText(await readFileOrStdin(host, list), list)
    collected.push({ sightings: imagesOfText(text), source: nameOf(list), notes: [] })
  }
  if (images.length > 0) collected.push({ sightings: images.map(namedImage), source: 'the command line', notes: [] })
  return collected
}

/** Of a folder its manifests, as kubectl takes them: not those of folders in it. */
async function manifestFiles(host: Host, path: string): Promise<readonly string[]> {
  if (path === '-') return [path]
  const found = await host.files.list(path).catch(() => []) // a file; what is neither is told when it is read
  const files = found.filter(({ name, kind }) => kind === 'file' && /\.(?:ya?ml|json)$/.test(name))
  return found.length === 0 ? [path] : files.map(({ name }) => `${path}/${name}`)
}

function nameOf(path: string): string {
  return path === '-' ? 'standard input' : path
}
