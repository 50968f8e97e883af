/**
 * The texts by which an image can be selected. A pattern is tried on each, so that no spelling of the same image gets around it:
 * `repo:*` is about digests, too, and Docker Hub goes by two names.
 *
 * @module
 */
import type { NamedImage, PinnedImage } from './image.js'

const HUB = 'index.docker.io/'

/** Hosts of the same registry as `index.docker.io`. */
const HUB_HOSTS: ReadonlySet<string> = new Set(['docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'])

/**
 * The forms under full names, as ClusterImagePolicy writes them (`index.docker.io/library/ubuntu:latest`), with the registry as it is
 * written and as it is usually written.
 */
export function fullForms(image: NamedImage, pinned: PinnedImage | undefined): readonly string[] {
  const usual = inUsualSpelling(image)
  const isUsual = usual.reference.registry === image.reference.registry
  return [usual, ...(isUsual ? [] : [image])].flatMap((each) => formsOf(each, pinned))
}

function formsOf({ reference }: NamedImage, pinned: PinnedImage | undefined): readonly string[] {
  const base = `${reference.registry}/${reference.repository}`
  const digest = reference.kind === 'digest' ? reference.digest : pinned?.digest
  const forms = reference.tag === undefined ? [] : [`${base}:${reference.tag}`]
  if (digest !== undefined) {
    // Without a tag nothing says which tag it has: a pattern with any tag means this one as well.
    forms.push(
      `${base}@${digest}`,
      reference.tag === undefined ? `${base}:@${digest}` : `${base}:${reference.tag}@${digest}`,
    )
  }
  return forms
}

/**
 * With the registry as the policies' authors will have written it: hosts are the same in any case and with the dot that ends every
 * name, ports are numbers (`:0443`), and 443 is where registries are.
 */
function inUsualSpelling({ text, reference }: NamedImage): NamedImage {
  const [, name = '', port = ''] = /^(.*?)\.?(?::0*(\d*))?$/.exec(reference.registry.toLowerCase()) ?? []
  const host = port === '' || port === '443' ? name : `${name}:${port}`
  return { text, reference: { ...reference, registry: HUB_HOSTS.has(host) ? HUB.slice(0, -1) : host } }
}

/** All forms: full names, the shorter names of Docker Hub, and what the resource itself says. */
export function allForms(image: NamedImage, pinned: PinnedImage | undefined): readonly string[] {
  return [...new Set([...withHubNames(fullForms(image, pinned)), image.text])]
}

/**
 * The forms by which an image can be let pass unverified: only what decides what runs. A tag before a digest does not, and whoever
 * writes the resource can write any there.
 */
export function skipForms({ reference }: NamedImage): readonly string[] {
  const base = `${reference.registry}/${reference.repository}`
  return withHubNames([reference.kind === 'digest' ? `${base}@${reference.digest}` : `${base}:${reference.tag}`])
}

function withHubNames(full: readonly string[]): readonly string[] {
  const hub = full.filter((form) => form.startsWith(HUB)).map((form) => form.slice(HUB.length))
  const short = hub.flatMap((form) => {
    const library = form.startsWith('library/') ? [form.slice('library/'.length)] : []
    return [form, ...library].flatMap((name) => [name, `docker.io/${name}`])
  })
  return [...full, ...short]
}
