/**
 * The texts by which an image can be selected. A pattern is tried on each, so that no spelling of the same image gets around it:
 * `repo:*` is about digests, too, and Docker Hub goes by two names.
 *
 * @module
 */
import type { NamedImage, PinnedImage } from './image.js'

/** The forms of one image, each kind made when it is first asked for: many policies ask. */
export class ImageForms {
  readonly image: NamedImage
  readonly pinned: PinnedImage | undefined
  #full: readonly string[] | undefined
  #all: readonly string[] | undefined
  #skip: readonly string[] | undefined

  constructor(image: NamedImage, pinned: PinnedImage | undefined) {
    this.image = image
    this.pinned = pinned
  }

  /** {@link fullForms} */
  get full(): readonly string[] {
    return (this.#full ??= fullForms(this.image, this.pinned))
  }

  /** {@link allForms} */
  get all(): readonly string[] {
    return (this.#all ??= allForms(this.image, this.pinned))
  }

  /** {@link skipForms} */
  get skip(): readonly string[] {
    return (this.#skip ??= skipForms(this.image))
  }
}

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
  return isUsual ? formsOf(image, pinned) : [...formsOf(usual, pinned), ...formsOf(image, pinned)]
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
  const forms = withHubNames(fullForms(image, pinned))
  return forms.includes(image.text) ? forms : [...forms, image.text]
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
  if (hub.length === 0) return full
  const short = hub.flatMap((form) => {
    const library = form.startsWith('library/') ? [form.slice('library/'.length)] : []
    return [form, ...library].flatMap((name) => [name, `docker.io/${name}`])
  })
  return [...full, ...short]
}
