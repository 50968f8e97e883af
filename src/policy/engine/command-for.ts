/** The command line that shows more about why an image was refused. @module */
import type { Attestor, TextMatch } from '../internal/attestor.js'
import type { AttestationDemand, Demand, SignatureDemand } from '../internal/demand.js'

/** A line for a shell. What cannot be asked for in one line is at least listed. */
export function commandFor(demand: Demand | undefined, image: string): string {
  const leaf = demand === undefined ? undefined : firstLeaf(demand)
  const who = leaf === undefined ? undefined : identityFlags(leaf.attestor)
  if (leaf === undefined || who === undefined) return line(['countersign', 'tree', image])
  if (leaf.kind === 'signature') return line(['countersign', 'verify', '--explain', ...who, image])
  return line(['countersign', 'verify-attestation', '--explain', '--type', leaf.predicateType, ...who, image])
}

function firstLeaf(demand: Demand): SignatureDemand | AttestationDemand | undefined {
  if (demand.kind === 'static') return undefined
  if (demand.kind !== 'count') return demand
  for (const each of demand.of) {
    const leaf = firstLeaf(each)
    if (leaf !== undefined) return leaf
  }
  return undefined
}

function identityFlags({ signer }: Attestor): readonly string[] | undefined {
  if (signer.kind !== 'keyless') return undefined
  const [identity] = signer.anyOf
  const [subject, issuer] = [identity?.subject[0], identity?.issuer[0]]
  if (subject === undefined || issuer === undefined) return undefined
  return [...flag('--certificate-identity', subject), ...flag('--certificate-oidc-issuer', issuer)]
}

function flag(name: string, match: TextMatch): readonly string[] {
  if (match.kind === 'exact') return [name, match.text]
  if (match.kind === 'pattern') return [`${name}-regexp`, match.pattern.source]
  const pattern = match.pattern.replace(/[\\^$.|+()[\]{}]/g, '\\$&')
  return [`${name}-regexp`, `^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`]
}

/** Quoted for a shell: policies and images are of others. */
function line(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')
}
