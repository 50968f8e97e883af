/** Authorities of a ClusterImagePolicy, and what each demands. @module */
import { predicateTypeUri } from '#formats/in-toto/predicate-types'
import { parseRepository } from '#formats/oci/reference'
import { isCodedError } from '#errors'
import type { Attestor, Evidence, SignatureSource, Signer, TrustPart, TrustSource } from '../internal/attestor.js'
import type { AttestationDemand, Demand } from '../internal/demand.js'
import type { Fields } from '../internal/fields.js'
import { readKey } from './key.js'
import { readKeyless } from './keyless.js'
import type { Keyless } from './keyless.js'
import { compilePolicyText, readPolicyText, TEXT_FIELDS } from './policy-text.js'
import type { CompilePorts, PolicyText } from './policy-text.js'

/** An authority as read; its policies' texts are still to be fetched. */
export interface ReadAuthority {
  readonly name: string
  readonly warnings: readonly string[]
  demand(ports: CompilePorts): Promise<Demand>
}

const SHORT_TYPES = ['custom', 'slsaprovenance', 'spdx', 'spdxjson', 'cyclonedx', 'link', 'vuln']
const KINDS = ['key', 'keyless', 'static'] as const

export function readAuthority(fields: Fields, index: number): ReadAuthority | undefined {
  fields.only('name', ...KINDS, 'source', 'ctlog', 'rfc3161timestamp', 'signatureFormat', 'attestations')
  const name = fields.text('name') ?? `authority-${String(index)}`
  const kind = fields.exactlyOne(KINDS)
  // Complaints of the parts are told even if it is not clear which part was meant.
  const key = readPart(fields, 'key', readKey)
  const keyless = readPart(fields, 'keyless', readKeyless)
  if (kind === undefined) return undefined
  if (kind === 'static') return readStatic(fields, name)
  const attestations = readAttestations(fields)
  const trust = readTrust(fields, keyless)
  const source = readSource(fields)
  const signer: Signer | undefined = keyless === undefined ? key : { kind: 'keyless', anyOf: keyless.anyOf }
  if (signer === undefined) return undefined
  const attestor: Attestor = {
    name,
    signer,
    trust: trust.source,
    evidence: { ...trust.evidence, sct: keyless?.ignoreSct === true ? 'ignored' : 'required' },
    source,
    annotations: new Map(),
  }
  const unusable = keyless?.unusable
  return {
    name,
    warnings: attestations.flatMap(({ warnings }) => warnings),
    demand: async (ports) => {
      if (unusable !== undefined) return { kind: 'static', name, action: 'fail', message: unusable }
      return await demandOf(attestor, attestations, ports)
    },
  }
}

function readPart<T>(fields: Fields, name: string, read: (part: Fields) => T): T | undefined {
  const part = fields.object(name)
  return part === undefined ? undefined : read(part)
}

function readStatic(fields: Fields, name: string): ReadAuthority {
  const part = fields.object('static')?.only('action', 'message')
  const action = part?.text('action')
  if (action === undefined) fields.complaints.missing(`${fields.at('static')}.action`)
  else if (action !== 'pass' && action !== 'fail')
    fields.complaints.invalid(action, `${fields.at('static')}.action`, 'unsupported action')
  for (const other of ['attestations', 'source', 'ctlog', 'rfc3161timestamp']) {
    if (fields.has(other))
      fields.complaints.add(`expected exactly one, got both: ${fields.at(other)}, ${fields.at('static')}`)
  }
  const demand: Demand = {
    kind: 'static',
    name,
    action: action === 'pass' ? 'pass' : 'fail',
    message: part?.text('message') ?? '',
  }
  return { name, warnings: [], demand: () => Promise.resolve(demand) }
}

interface ReadTrust {
  readonly source: TrustSource
  readonly evidence: Omit<Evidence, 'sct'>
}

/** Which logs and time-stamps are asked for follows from what the authority mentions (validator.go, the checks' options). */
function readTrust(fields: Fields, keyless: Keyless | undefined): ReadTrust {
  const ctlog = fields.object('ctlog')?.only('url', 'trustRootRef')
  const stamp = fields.object('rfc3161timestamp')?.only('trustRootRef')
  const url = ctlog?.text('url')
  if (url !== undefined && !URL.canParse(url)) fields.complaints.invalid(url, `${fields.at('ctlog')}.url`)
  const format = fields.text('signatureFormat')
  const [own, log, tsa] = [keyless?.trustRootRef, ctlog?.text('trustRootRef'), stamp?.text('trustRootRef')]
  if (format === 'bundle') checkBundle(fields, keyless, [own, log, tsa])
  const certificates: TrustPart<never> = named(own)
  return {
    source: {
      certificateAuthorities:
        keyless?.authorities === undefined ? certificates : { kind: 'own', values: keyless.authorities },
      ctlogs: certificates,
      tlogs: log === undefined && ctlog === undefined ? certificates : named(log ?? own),
      timestampAuthorities: named(tsa ?? own),
    },
    evidence: {
      // An authority with a time-stamp does without the log, in the original altogether.
      tlog: tsa !== undefined ? 'ignored' : ctlog !== undefined ? 'required' : unmentionedLog(keyless),
      timestamp: tsa === undefined ? 'accepted' : 'required',
    },
  }
}

/** Where no log is mentioned: keys need none, keyless needs the public one, and with a trust root whatever tells the time. */
function unmentionedLog(keyless: Keyless | undefined): Evidence['tlog'] {
  if (keyless === undefined) return 'ignored'
  return keyless.trustRootRef === undefined ? 'required' : 'if-present'
}

function checkBundle(fields: Fields, keyless: Keyless | undefined, roots: readonly (string | undefined)[]): void {
  if (keyless === undefined) {
    fields.complaints.invalid(
      'bundle',
      fields.at('signatureFormat'),
      'when using the new bundle format, the authority must be keyless',
    )
  }
  const given = new Set(roots.filter((root) => root !== undefined))
  if (given.size > 1)
    fields.complaints.invalid(
      [...given].join(', '),
      fields.at('signatureFormat'),
      'expected one trustRootRef throughout',
    )
}

function named(name: string | undefined): TrustPart<never> {
  return name === undefined ? { kind: 'default' } : { kind: 'named', name }
}

function readSource(fields: Fields): SignatureSource {
  const format = fields.text('signatureFormat') ?? ''
  if (format !== '' && format !== 'legacy' && format !== 'bundle')
    fields.complaints.invalid(format, fields.at('signatureFormat'), 'expected legacy or bundle')
  const sources = fields.objects('source')
  if (sources.length > 1)
    fields.complaints.invalid(String(sources.length), fields.at('source'), 'expected at most one source')
  const [source] = sources
  source?.only('oci', 'tagPrefix', 'signaturePullSecrets')
  const repository = source?.text('oci')
  const tagPrefix = source?.text('tagPrefix')
  if (source !== undefined && repository !== undefined) checkRepository(source, repository)
  return {
    // Both layouts where the policy does not choose; whatever is found is verified all the same.
    format: format === 'bundle' || format === 'legacy' ? format : 'any',
    ...(repository === undefined ? {} : { repository }),
    ...(tagPrefix === undefined ? {} : { tagPrefix }),
    pullSecrets: (source?.objects('signaturePullSecrets') ?? []).flatMap((secret) => {
      const name = secret.only('name').text('name')
      if (name === undefined) secret.complaints.missing(secret.at('name'))
      return name === undefined ? [] : [{ name }]
    }),
  }
}

function checkRepository(fields: Fields, repository: string): void {
  try {
    parseRepository(repository)
  } catch (error) {
    if (!isCodedError(error)) throw error
    fields.complaints.invalid(repository, fields.at('oci'), error.message)
  }
}

interface ReadAttestation {
  readonly name: string
  readonly predicateType: string
  readonly policy: PolicyText | undefined
  readonly warnings: readonly string[]
}

function readAttestations(fields: Fields): readonly ReadAttestation[] {
  const attestations = fields.objects('attestations').map((each): ReadAttestation => {
    each.only('name', 'predicateType', 'policy')
    const [name, type] = [each.text('name'), each.text('predicateType')]
    if (name === undefined) each.complaints.missing(each.at('name'))
    if (type === undefined) each.complaints.missing(each.at('predicateType'))
    const policy = each.object('policy')?.only(...TEXT_FIELDS)
    const short = type !== undefined && SHORT_TYPES.includes(type)
    return {
      name: name ?? '',
      predicateType: type === undefined ? '' : readType(each, type),
      policy: policy === undefined ? undefined : readPolicyText(policy),
      warnings: short ? [`${each.at('predicateType')}: deprecated value, please use RFC 3986 conformant values`] : [],
    }
  })
  const names = attestations.map(({ name }) => name)
  // What was found under one name would hide what was found under the same name before.
  const twice = names.find((name, index) => name !== '' && names.indexOf(name) !== index)
  if (twice !== undefined) fields.complaints.invalid(twice, fields.at('attestations'), 'expected names to be different')
  return attestations
}

function readType(fields: Fields, type: string): string {
  try {
    return predicateTypeUri(type)
  } catch (error) {
    if (!isCodedError(error)) throw error
    fields.complaints.invalid(type, fields.at('predicateType'), 'unsupported predicate type')
    return type
  }
}

/** Attestations take the place of the signature, and every one of them is needed, by any one statement each. */
async function demandOf(
  attestor: Attestor,
  attestations: readonly ReadAttestation[],
  ports: CompilePorts,
): Promise<Demand> {
  if (attestations.length === 0) return { kind: 'signature', attestor }
  const of = await Promise.all(
    attestations.map(async ({ name, predicateType, policy }): Promise<AttestationDemand> => {
      const demand = { kind: 'attestation', name, predicateType, attestor, statements: 'any' } as const
      if (policy === undefined) return demand
      const { language, source, judge } = await compilePolicyText(policy, ports)
      return { ...demand, predicate: { language, source, judge: ({ json }) => judge(json) } }
    }),
  )
  return { kind: 'count', name: attestor.name, required: of.length, of }
}
