/** The CUE and Rego policies inside a ClusterImagePolicy: here, at an address, or in a ConfigMap. @module */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import type { JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import type { Clock } from '#time'
import { compileCue } from '../cue/policy.js'
import type { Judgement } from '../internal/demand.js'
import type { Fields } from '../internal/fields.js'
import { PolicyError } from '../internal/policy-error.js'
import { compileRegoJudge } from './rego-judge.js'

/** What compiling a policy needs of the world. */
export interface CompilePorts {
  /** A policy text by https; the digest is checked here. */
  remoteText(url: string): Promise<string>
  /** A value of a ConfigMap in the policies' own namespace. */
  configMapText(name: string, key: string): Promise<string>
  /** What Rego policies are told the time is. */
  readonly clock: Clock
  /** Told of a text that is kept elsewhere and cannot be had or used: the policy is compiled all the same, and refuses. */
  readonly onUnusable?: (error: unknown) => void
}

/** A compiled judge of JSON. */
export interface TextJudge {
  readonly language: 'cue' | 'rego'
  readonly source: string
  readonly judge: (input: JsonValue) => Judgement
}

/** Where the text of a policy is, validated but not fetched. */
export interface PolicyText {
  readonly type: 'cue' | 'rego'
  readonly path: string
  readonly from:
    | { readonly kind: 'data'; readonly data: string }
    | { readonly kind: 'remote'; readonly url: string; readonly sha256: string }
    | { readonly kind: 'configMap'; readonly name: string; readonly key: string }
}

const MAX_TEXT = 1_000_000

/** Fields that say what a policy is; the caller knows which others may stand beside them. */
export const TEXT_FIELDS = ['type', 'data', 'remote', 'configMapRef'] as const

export function readPolicyText(fields: Fields): PolicyText | undefined {
  const type = fields.text('type')
  if (type !== 'cue' && type !== 'rego')
    fields.complaints.invalid(type ?? '', fields.at('type'), 'only [cue,rego] are supported at the moment')
  const which = fields.exactlyOne(['data', 'remote', 'configMapRef'], ['data', 'url', 'configMapRef'])
  const from = which === undefined ? undefined : readFrom(fields, which)
  return from === undefined || (type !== 'cue' && type !== 'rego') ? undefined : { type, path: fields.path, from }
}

function readFrom(fields: Fields, which: 'data' | 'remote' | 'configMapRef'): PolicyText['from'] | undefined {
  if (which === 'data') {
    const data = fields.text('data')
    return data === undefined ? undefined : { kind: 'data', data }
  }
  if (which === 'configMapRef') {
    const reference = fields.object('configMapRef')?.only('name', 'key', 'namespace')
    const [name, key] = [reference?.text('name'), reference?.text('key')]
    if (name !== undefined && key !== undefined) return { kind: 'configMap', name, key }
    fields.complaints.missing(`${fields.at('configMapRef')}.${name === undefined ? 'name' : 'key'}`)
    return undefined
  }
  return readRemote(fields)
}

function readRemote(fields: Fields): PolicyText['from'] | undefined {
  const remote = fields.object('remote')?.only('url', 'sha256sum')
  const [url, sum] = [remote?.text('url'), remote?.text('sha256sum')]
  if (url === undefined) fields.complaints.missing(`${fields.at('remote')}.url`)
  else if (!URL.canParse(url) || new URL(url).protocol !== 'https:')
    fields.complaints.invalid(url, `${fields.at('remote')}.url`, 'expected an https address')
  if (sum === undefined) fields.complaints.missing(`${fields.at('remote')}.sha256sum`)
  else if (!/^[0-9a-fA-F]{64}$/.test(sum)) fields.complaints.invalid(sum, `${fields.at('remote')}.sha256sum`)
  return url === undefined || sum === undefined ? undefined : { kind: 'remote', url, sha256: sum.toLowerCase() }
}

/**
 * Fetches, if need be, and compiles. A text that is in the policy and is none is refused now; one that is kept elsewhere and
 * cannot be had, or is none, refuses every image until it can: a policy is never switched off by what it depends on.
 * @throws PolicyError `POLICY_FIELD`
 */
export async function compilePolicyText(text: PolicyText, ports: CompilePorts): Promise<TextJudge> {
  const { type, path, from } = text
  if (from.kind === 'data') {
    try {
      return compile(type, from.data, ports)
    } catch (error) {
      if (!isCodedError(error)) throw error
      throw new PolicyError('POLICY_FIELD', `validation failed: invalid value: ${path}.data\n${error.message}`, {
        expected: error.expected,
        found: error.found,
        hint: error.hint,
        cause: error,
      })
    }
  }
  try {
    return compile(type, await fetchText(from, ports), ports)
  } catch (error) {
    ports.onUnusable?.(error)
    return refusing(text, error)
  }
}

async function fetchText(from: Exclude<PolicyText['from'], { kind: 'data' }>, ports: CompilePorts): Promise<string> {
  if (from.kind === 'configMap') return await ports.configMapText(from.name, from.key)
  const text = await ports.remoteText(from.url)
  const found = encodeHex(sha256(encodeUtf8(text)))
  if (found === from.sha256) return text
  throw new PolicyError('POLICY_TEXT', `the policy at ${from.url} is not the one that was meant`, {
    expected: `sha256 ${from.sha256}`,
    found,
  })
}

function compile(type: PolicyText['type'], source: string, { clock }: CompilePorts): TextJudge {
  if (source.length > MAX_TEXT) {
    throw new PolicyError('POLICY_TEXT', 'the policy is too long', {
      expected: `at most ${String(MAX_TEXT)} characters`,
    })
  }
  if (type === 'rego') return { language: type, source, ...compileRegoJudge(source, clock) }
  const policy = compileCue(source)
  return {
    language: type,
    source,
    judge: (input) => {
      policy.judge(input)
      return { warnings: [] }
    },
  }
}

function refusing({ type, from, path }: PolicyText, cause: unknown): TextJudge {
  const source = from.kind === 'remote' ? from.url : from.kind === 'configMap' ? `${from.name}/${from.key}` : ''
  const why = cause instanceof Error ? cause.message : 'unknown error'
  return {
    language: type,
    source: `(not to be had) ${source}`,
    judge: () => {
      throw new PolicyError('POLICY_TEXT', `the policy of ${path} could not be had from ${source}: ${why}`, {
        hint: 'until it can, everything that the policy is about is refused',
        cause,
      })
    },
  }
}
