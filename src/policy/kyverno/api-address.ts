/**
 * Addresses below the API server that policies write.
 *
 * What variables stand for comes from whoever wrote the resource, and what a policy of one namespace writes from whoever has that
 * namespace. An address is therefore made of names: each segment that the policy writes is filled, checked and encoded by itself, and
 * each parameter of the query, so that nothing put in is ever read as a part of the address (CVE-2026-22039).
 *
 * @module
 */
import type { JsonValue } from '#encoding/json'
import type { Clock } from '#time'
import type { ClusterCall } from '../internal/cluster.js'
import { PolicyError } from '../internal/policy-error.js'
import type { CompileExpression } from '../jmespath/expression.js'
import { asText, compilePieces } from '../jmespath/template.js'
import type { TemplatePiece } from '../jmespath/template.js'

export interface AddressReading {
  readonly compile: CompileExpression
  /** Of a namespaced policy, which reads what is in it alone. */
  readonly namespace: string | undefined
  readonly method: ClusterCall['method']
}

/**
 * An address with its variables filled in.
 * @throws PolicyError `POLICY_CONTEXT`; JmesPathError, as the variables do
 */
export type ClusterAddress = (data: JsonValue, clock: Clock) => string

const MAX_LENGTH = 4096
/** What stands in the names of Kubernetes, and nothing that a server or a proxy could take for more than a name. */
const SEGMENT = /^(?:(?![/\\?#%])[!-~])+$/
const PARAMETER = /^[A-Za-z][A-Za-z0-9]*$/

type Text = readonly TemplatePiece[]

interface Parameter {
  readonly name: string
  readonly value: Text
}

/**
 * Reads an address. One without variables is checked at once.
 * @throws PolicyError `POLICY_CONTEXT`; JmesPathError, as compiling the variables does
 */
export function clusterAddress(written: string, { compile, namespace, method }: AddressReading): ClusterAddress {
  if (written.length > MAX_LENGTH) throw noAddress(written)
  const [path = [], ...queries] = split(compilePieces(compile, written), '?', 2)
  const [root = [], ...steps] = split(path, '/')
  if (root.some((piece) => piece !== '')) throw noAddress(written)
  const last = steps.at(-1)
  // A slash at the end says nothing.
  const segments = last?.every((piece) => piece === '') === true ? steps.slice(0, -1) : steps
  const parameters = queries.flatMap((query) => readParameters(query, written))
  const fill: ClusterAddress = (data, clock) => {
    const filling = { data, clock, written }
    const names = segments.map((segment) => checkedName(filled(segment, filling), written))
    if (!/^apis?$/.test(names[0] ?? '') || names.length < 2) throw noAddress(written)
    if (namespace !== undefined) checkNamespace(names, { namespace, method })
    const query = parameters.map(({ name, value }) => `${name}=${encodeURIComponent(filled(value, filling))}`)
    const address = `/${names.map(encodeURIComponent).join('/')}${query.length === 0 ? '' : `?${query.join('&')}`}`
    if (address.length > MAX_LENGTH) throw noAddress(address)
    return address
  }
  if ([...segments, ...parameters.map(({ value }) => value)].flat().every((piece) => typeof piece === 'string'))
    fill(null, () => 0)
  return fill
}

/** Takes a text apart where the policy itself wrote the separator. */
function split(pieces: Text, separator: string, limit = Infinity): readonly Text[] {
  const parts: TemplatePiece[][] = [[]]
  for (const piece of pieces) {
    if (typeof piece !== 'string') {
      parts.at(-1)?.push(piece)
      continue
    }
    let rest = piece
    for (let at = rest.indexOf(separator); at >= 0 && parts.length < limit; at = rest.indexOf(separator)) {
      parts.at(-1)?.push(rest.slice(0, at))
      parts.push([])
      rest = rest.slice(at + separator.length)
    }
    parts.at(-1)?.push(rest)
  }
  return parts
}

/** No variable names a parameter: the API server ignores those that it does not know, and would answer with everything. */
function readParameters(query: Text, written: string): readonly Parameter[] {
  return split(query, '&').flatMap((part): readonly Parameter[] => {
    if (part.every((piece) => piece === '')) return []
    const [name = [], value] = split(part, '=', 2)
    const text = name.map((piece) => (typeof piece === 'string' ? piece : '{{')).join('')
    if (value === undefined || !PARAMETER.test(text)) throw noAddress(written)
    const literals = value.filter((piece) => typeof piece === 'string')
    if (literals.some((piece) => piece.includes('#'))) throw noAddress(written)
    return [
      { name: text, value: value.map((piece) => (typeof piece === 'string' ? piece.replaceAll('+', ' ') : piece)) },
    ]
  })
}

interface Filling {
  readonly data: JsonValue
  readonly clock: Clock
  readonly written: string
}

/** What the policy writes may be encoded; what variables stand for is as it is. */
function filled(text: Text, { data, clock, written }: Filling): string {
  return text
    .map((piece) => (typeof piece === 'string' ? decoded(piece, written) : asText(piece(data, clock))))
    .join('')
}

function decoded(text: string, written: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw noAddress(written)
  }
}

function checkedName(name: string, written: string): string {
  if (SEGMENT.test(name) && name !== '.' && name !== '..') return name
  throw new PolicyError('POLICY_CONTEXT', 'this is no path below the API server', {
    expected: 'names between slashes',
    found: `${JSON.stringify(name.slice(0, 200))} in ${written.slice(0, 200)}`,
    hint: 'a variable stands for one name; write the slashes in the policy',
  })
}

/** Of objects what they are; `proxy`, `exec` and `log` lead further, to what is no object of the namespace. */
const READ_BELOW = ['status', 'scale']

/** The place of the namespace is known: the word may stand elsewhere, too. */
function checkNamespace(
  names: readonly string[],
  { namespace, method }: { readonly namespace: string } & ClusterCall,
): void {
  const [word, of, resource, name, below, ...more] = names.slice(names[0] === 'api' ? 2 : 3)
  const isOwn = word === 'namespaces' && of === namespace && more.length === 0
  const isRead = below === undefined ? true : READ_BELOW.includes(below)
  const isCreation = resource !== undefined && name === undefined
  if (!isOwn || (method === 'GET' ? !isRead : !isCreation))
    throw new PolicyError('POLICY_CONTEXT', 'a namespaced policy asks for what is not of its own namespace', {
      expected: `…/namespaces/${namespace}/…`,
      found: `${method} /${names.join('/')}`.slice(0, 200),
      hint: 'use a ClusterPolicy',
    })
  // The gate may, for the sake of pulling images; whoever writes policies for a namespace need not be allowed to.
  if (resource?.toLowerCase() === 'secrets')
    throw new PolicyError('POLICY_CONTEXT', 'a namespaced policy does not read Secrets', {
      hint: 'use a ClusterPolicy',
    })
}

function noAddress(found: string): PolicyError {
  return new PolicyError('POLICY_CONTEXT', 'this is no path below the API server', {
    expected: '/api/… or /apis/…, of names, and parameters by name',
    found: found.slice(0, 200),
  })
}
