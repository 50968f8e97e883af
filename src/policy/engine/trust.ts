/** The trusted root of one attestor, put together from where the policy says each part comes from. @module */
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Attestor, TrustPart } from '../internal/attestor.js'
import { sideBySide } from './side-by-side.js'

type LoadRoot = (name: string | undefined) => Promise<TrustedRoot>
type PartName = keyof TrustedRoot

const PARTS = ['certificateAuthorities', 'ctlogs', 'tlogs', 'timestampAuthorities'] as const satisfies PartName[]

/**
 * Loads only what is needed: a key that nobody has to have witnessed needs no trust root, and must not fail for want of one.
 * @throws PolicyError `POLICY_TRUST_ROOT`, or what the port throws
 */
export async function trustOf(attestor: Attestor, load: LoadRoot): Promise<TrustedRoot> {
  const names = namesOf(attestor)
  const loaded = await sideBySide(names, load)
  const before = composed.get(attestor)
  if (before !== undefined && loaded.every((root, index) => root === before.loaded[index])) return before.trust
  const trust = compose(attestor, new Map(names.map((name, index) => [name, loaded[index]])))
  composed.set(attestor, { loaded, trust })
  return trust
}

/** What was put together last of which roots: most reviews come between two changes of them. */
const composed = new WeakMap<Attestor, { readonly loaded: readonly TrustedRoot[]; readonly trust: TrustedRoot }>()

/** The roots of which an attestor needs a part, each once. */
function namesOf({ signer, evidence, trust }: Attestor): readonly (string | undefined)[] {
  const names: (string | undefined)[] = []
  for (const part of PARTS) {
    const from: TrustPart<unknown> = trust[part]
    if (from.kind === 'own' || !NEEDS[part]({ signer, evidence })) continue
    const name = from.kind === 'named' ? from.name : undefined
    if (!names.includes(name)) names.push(name)
  }
  return names
}

type Asking = Pick<Attestor, 'signer' | 'evidence'>

const NEEDS: Readonly<Record<PartName, (asking: Asking) => boolean>> = {
  certificateAuthorities: ({ signer }) => signer.kind === 'keyless',
  ctlogs: (asking) => isCertified(asking) && asking.evidence.sct === 'required',
  tlogs: ({ evidence }) => evidence.tlog !== 'ignored',
  timestampAuthorities: (asking) => isCertified(asking) || asking.evidence.timestamp === 'required',
}

function isCertified({ signer }: Asking): boolean {
  return signer.kind === 'keyless' || (signer.kind === 'certificate' && signer.chain.length > 0)
}

function compose(attestor: Attestor, roots: ReadonlyMap<string | undefined, TrustedRoot | undefined>): TrustedRoot {
  const { signer, trust } = attestor
  const part = <Name extends PartName>(name: Name): TrustedRoot[Name] => {
    if (!NEEDS[name](attestor)) return NOTHING[name]
    const from = trust[name] as TrustPart<TrustedRoot[Name][number]>
    // Own values are of the part's own type: TrustSource says so name by name.
    if (from.kind === 'own') return from.values as unknown as TrustedRoot[Name]
    return roots.get(from.kind === 'named' ? from.name : undefined)?.[name] ?? NOTHING[name]
  }
  return {
    certificateAuthorities:
      signer.kind === 'certificate'
        ? // Each is an anchor: whoever writes out a chain trusts all of it, and roots that follow one another stand in one text.
          signer.chain.map((certificate) => ({ uri: '', subject: undefined, chain: [certificate], validFor: {} }))
        : part('certificateAuthorities'),
    ctlogs: part('ctlogs'),
    tlogs: part('tlogs'),
    timestampAuthorities: part('timestampAuthorities'),
  }
}

const NOTHING: TrustedRoot = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] }
