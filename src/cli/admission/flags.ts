/** Flags of `admission`, and what they mean. @module */
import type { PinKinds } from '#gate/admission/pinning'
import type { DeclaredPlaces, Review } from '#policy/internal/review'
import { UsageError } from '../kit/errors.js'

export const PIN_KINDS: readonly PinKinds[] = ['pods', 'all', 'none']

/** Kinds by `Kind.group`, and where they name images. */
export type DeclaredKinds = ReadonlyMap<string, DeclaredPlaces>

/**
 * Reads `--custom-kind Kind.group=PATH[,PATH]`. A path that ends with `containers`' parent is one of a pod specification; one
 * that begins with `image:` is that of a text.
 * @throws {@link UsageError} `USAGE_FLAG_VALUE`
 */
export function readDeclaredKinds(texts: readonly string[]): DeclaredKinds {
  const kinds = new Map<string, DeclaredPlaces>()
  for (const text of texts) {
    const [, kind, paths] = /^([A-Za-z0-9]+(?:\.[a-z0-9.-]+)?)=(.+)$/.exec(text) ?? []
    if (kind === undefined || paths === undefined) throw unreadable(text)
    const { podSpecs, images } = kinds.get(kind) ?? { podSpecs: [], images: [] }
    const read = paths.split(',').map((path) => readPath(path, text))
    kinds.set(kind, {
      podSpecs: [...podSpecs, ...read.filter(({ isImage }) => !isImage).map(({ steps }) => steps)],
      images: [...images, ...read.filter(({ isImage }) => isImage).map(({ steps }) => steps)],
    })
  }
  return kinds
}

function readPath(path: string, text: string): { readonly steps: readonly string[]; readonly isImage: boolean } {
  const isImage = path.startsWith('image:')
  const steps = path.slice(isImage ? 'image:'.length : 0).split('.')
  if (steps.some((step) => !/^(?:\*|[A-Za-z0-9_-]+)$/.test(step))) throw unreadable(text)
  return { steps, isImage }
}

function unreadable(text: string): UsageError {
  return new UsageError('USAGE_FLAG_VALUE', `invalid argument ${JSON.stringify(text)} for "--custom-kind" flag`, {
    expected: 'KIND.GROUP=PATH of a pod specification, or KIND.GROUP=image:PATH of a text',
    hint: 'for example Workflow.argoproj.io=image:spec.templates.*.container.image',
  })
}

/** Where a review's kind names images, if it is one of these. */
export function declaredIn(kinds: DeclaredKinds): (review: Review) => DeclaredPlaces | undefined {
  return ({ kind: { group, kind } }) => kinds.get(group === '' ? kind : `${kind}.${group}`)
}
