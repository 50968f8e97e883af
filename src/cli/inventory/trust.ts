/** From flags to whom an inventory trusts. @module */
import { describePolicy, trustFingerprint, type TrustPorts } from '#inventory/trust'
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { prepareJudge, type Judge, type VerifyFlags } from '../verifying/judge.js'
import type { IdentityFlags } from '../verifying/policy.js'

export interface EvidenceFlags {
  readonly 'trusted-root': string | undefined
  readonly 'use-signed-timestamps': boolean
  readonly 'insecure-ignore-tlog': boolean
  readonly 'insecure-ignore-sct': boolean
}

export interface VexFlags {
  readonly 'vex-certificate-identity': readonly string[]
  readonly 'vex-certificate-identity-regexp': readonly string[]
  readonly 'vex-certificate-oidc-issuer': readonly string[]
  readonly 'vex-certificate-oidc-issuer-regexp': readonly string[]
  readonly 'vex-key': string | undefined
}

export interface TrustFlags extends IdentityFlags, EvidenceFlags, VexFlags {
  readonly key: string | undefined
}

/** Whether signers are named at all; without, the stored inventory's are meant. */
export function namesSigners(flags: TrustFlags): boolean {
  return namesSbomSigners(flags) || namesVexSigners(flags)
}

function namesSbomSigners(flags: TrustFlags): boolean {
  const { key, 'certificate-identity': exact, 'certificate-identity-regexp': patterns } = flags
  const issuers = [...flags['certificate-oidc-issuer'], ...flags['certificate-oidc-issuer-regexp']]
  return key !== undefined || exact.length + patterns.length + issuers.length > 0
}

function namesVexSigners(flags: VexFlags): boolean {
  const lists = [
    flags['vex-certificate-identity'],
    flags['vex-certificate-identity-regexp'],
    flags['vex-certificate-oidc-issuer'],
    flags['vex-certificate-oidc-issuer-regexp'],
  ]
  return flags['vex-key'] !== undefined || lists.some((list) => list.length > 0)
}

/**
 * Prepares the verification of both kinds. The trusted root is loaded now: it is part of what the cache goes by.
 * @throws UsageError if nobody is named, a signer without an issuer, or both a key and identities
 */
export async function prepareTrust(host: Host, flags: TrustFlags, signal: AbortSignal): Promise<TrustPorts> {
  if (!namesSbomSigners(flags)) {
    throw new UsageError('USAGE_FLAG_MISSING', 'nobody is named whose bills of materials count', {
      expected: '--certificate-identity NAME with --certificate-oidc-issuer URL, or --key KEY',
      hint: 'an inventory that was taken is asked with `countersign inventory find`, and shown with `countersign inventory list`',
    })
  }
  const sboms = await prepareJudge(host, { ...COSIGN_FLAGS, ...flags }, signal)
  const vex = namesVexSigners(flags) ? await prepareVexJudge(host, flags, signal) : undefined
  const root = (await sboms.trust()) ?? (await vex?.trust())
  const evidence = {
    timestamps: flags['use-signed-timestamps'],
    ignoreTlog: flags['insecure-ignore-tlog'],
    ignoreSct: flags['insecure-ignore-sct'],
  }
  return {
    fingerprint: trustFingerprint({ sboms: sboms.policy, vex: vex?.policy, evidence, root }),
    sboms: signersOf(sboms),
    vex: vex === undefined ? undefined : signersOf(vex),
  }
}

async function prepareVexJudge(host: Host, flags: TrustFlags, signal: AbortSignal): Promise<Judge> {
  try {
    return await prepareJudge(host, vexVerifyFlags(flags), signal)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const { code, message, expected, found, cause } = error
    const hint = 'this is about the flags with --vex- before their names'
    throw new UsageError(code, `OpenVEX: ${message}`, { expected, found, hint, cause })
  }
}

function signersOf({ policy, judge }: Judge): TrustPorts['sboms'] {
  return { names: describePolicy(policy), verify: judge }
}

/** Flags of cosign's commands that these commands do not have. */
const COSIGN_FLAGS = {
  sk: false,
  sct: undefined,
  'rekor-url': undefined,
  certificate: undefined,
  'allow-certificate-chain': false,
  'signature-digest-algorithm': undefined,
  'private-infrastructure': false,
} as const satisfies Partial<VerifyFlags>

function vexVerifyFlags(flags: TrustFlags): VerifyFlags {
  return {
    ...COSIGN_FLAGS,
    ...flags,
    key: flags['vex-key'],
    'certificate-identity': flags['vex-certificate-identity'],
    'certificate-identity-regexp': flags['vex-certificate-identity-regexp'],
    'certificate-oidc-issuer': flags['vex-certificate-oidc-issuer'],
    'certificate-oidc-issuer-regexp': flags['vex-certificate-oidc-issuer-regexp'],
    // Claims are required of those who build; who writes about vulnerabilities may be somebody else altogether.
    'certificate-extension': [],
    'certificate-github-workflow-trigger': undefined,
    'certificate-github-workflow-sha': undefined,
    'certificate-github-workflow-name': undefined,
    'certificate-github-workflow-repository': undefined,
    'certificate-github-workflow-ref': undefined,
  }
}
