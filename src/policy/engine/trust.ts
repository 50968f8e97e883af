/** The trusted root of one attestor, put together from where the policy says each part comes from. @module */
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Attestor, TrustPart } from '../internal/attestor.js'

type LoadRoot = (name: string | undefined) => Promise<TrustedRoot>

const NOTHING: TrustedRoot = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] }

/**
 * Loads only what is needed: a key that nobody has to have witnessed needs no trust root, and must not fail for want of one.
 * @throws PolicyError `POLICY_TRUST_ROOT`, or what the port throws
 */
export async function trustOf(attestor: Attestor, load: LoadRoot): Promise<TrustedRoot> {
  const { signer, evidence, trust } = attestor
  const certified = signer.kind === 'keyless' || (signer.kind === 'certificate' && signer.chain.length > 0)
  const part = async <Name extends keyof TrustedRoot>(name: Name, needed: boolean): Promise<TrustedRoot[Name]> => {
    const from = trust[name] as TrustPart<TrustedRoot[Name][number]>
    if (!needed) return NOTHING[name]
    // Own values are of the part's own type: TrustSource says so name by name.
    if (from.kind === 'own') return from.values as unknown as TrustedRoot[Name]
    return (await load(from.kind === 'named' ? from.name : undefined))[name]
  }
  const [certificateAuthorities, ctlogs, tlogs, timestampAuthorities] = await Promise.all([
    part('certificateAuthorities', certified && signer.kind === 'keyless'),
    part('ctlogs', certified && evidence.sct === 'required'),
    part('tlogs', evidence.tlog !== 'ignored'),
    part('timestampAuthorities', certified || evidence.timestamp === 'required'),
  ])
  if (signer.kind !== 'certificate' || signer.chain.length === 0)
    return { certificateAuthorities, ctlogs, tlogs, timestampAuthorities }
  // Each is an anchor: whoever writes out a chain trusts all of it, and roots that follow one another stand in one text.
  const own = signer.chain.map((certificate) => ({ uri: '', subject: undefined, chain: [certificate], validFor: {} }))
  return { certificateAuthorities: own, ctlogs, tlogs, timestampAuthorities }
}
