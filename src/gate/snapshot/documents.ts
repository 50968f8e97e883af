/** The documents that decisions depend on, as they are now: from files, or from an API server that is watched. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject } from '#encoding/json'

/** What names a document. */
export interface DocumentName {
  readonly group: string
  readonly kind: string
  /** Empty for what is not in a namespace. */
  readonly namespace: string
  readonly name: string
}

export interface StoredDocument extends DocumentName {
  readonly document: JsonObject
}

/** Told what was put or taken away; `document` is undefined for the latter. */
export type DocumentListener = (name: DocumentName, document: JsonObject | undefined) => void

/** One place for all of them. Changes are told in order, once each. */
export class Documents {
  readonly #byKind = new Map<string, Map<string, StoredDocument>>()
  readonly #listeners: DocumentListener[] = []

  put(document: JsonObject): void {
    const name = nameOf(document)
    const known = this.#ofKind(name)
    const key = keyOf(name)
    if (isUnchanged(known.get(key)?.document, document)) return
    known.set(key, { ...name, document })
    this.#tell(name, document)
  }

  delete(document: JsonObject): void {
    const name = nameOf(document)
    if (this.#ofKind(name).delete(keyOf(name))) this.#tell(name, undefined)
  }

  /** Replaces everything that is there of some kinds: what a list of an API server, or a set of files, says as a whole. */
  replace(kinds: readonly Pick<DocumentName, 'group' | 'kind'>[], documents: readonly JsonObject[]): void {
    const kept = new Set(documents.map((document) => fullKeyOf(nameOf(document))))
    for (const kind of kinds) {
      for (const stored of [...this.#ofKind(kind).values()]) {
        if (!kept.has(fullKeyOf(stored))) this.delete(stored.document)
      }
    }
    for (const document of documents) this.put(document)
  }

  get(name: DocumentName): JsonObject | undefined {
    return this.#ofKind(name).get(keyOf(name))?.document
  }

  ofKind(kind: Pick<DocumentName, 'group' | 'kind'>): readonly StoredDocument[] {
    return [...this.#ofKind(kind).values()]
  }

  all(): readonly StoredDocument[] {
    return [...this.#byKind.values()].flatMap((documents) => [...documents.values()])
  }

  onChange(listener: DocumentListener): void {
    this.#listeners.push(listener)
  }

  #ofKind({ group, kind }: Pick<DocumentName, 'group' | 'kind'>): Map<string, StoredDocument> {
    const key = `${group}/${kind}`
    const known = this.#byKind.get(key) ?? new Map<string, StoredDocument>()
    this.#byKind.set(key, known)
    return known
  }

  #tell(name: DocumentName, document: JsonObject | undefined): void {
    for (const listener of this.#listeners) listener(name, document)
  }
}

/** What a document calls itself; what it leaves out is empty. */
export function nameOf(document: JsonObject): DocumentName {
  const { apiVersion, kind, metadata } = document
  const { name, namespace } = isJsonObject(metadata) ? metadata : {}
  const version = typeof apiVersion === 'string' ? apiVersion : ''
  return {
    group: version.includes('/') ? version.slice(0, version.indexOf('/')) : '',
    kind: textOf(kind),
    namespace: textOf(namespace),
    name: textOf(name),
  }
}

/** One text for a name, for maps and logs. */
export function fullKeyOf({ group, kind, namespace, name }: DocumentName): string {
  return `${kind}.${group}/${namespace}/${name}`
}

function keyOf({ namespace, name }: DocumentName): string {
  return `${namespace}/${name}`
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** A watch that begins again tells of everything again; most of it is what is known already. */
function isUnchanged(before: JsonObject | undefined, after: JsonObject): boolean {
  if (before === undefined) return false
  return before === after || JSON.stringify(withoutStatus(before)) === JSON.stringify(withoutStatus(after))
}

/** What this gate writes into statuses itself must not set it off again. */
function withoutStatus({ status: _, metadata, ...rest }: JsonObject): JsonObject {
  if (!isJsonObject(metadata)) return rest
  const { resourceVersion: _version, managedFields: _fields, ...meta } = metadata
  return { ...rest, metadata: meta }
}
