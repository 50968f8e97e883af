/** Releases of distributions, as vulnerability records and bills of materials write them. @module */

/** `unknown` where the package does not say what it is of. */
export type ReleaseRelation = 'same' | 'other' | 'unknown'

/** Names that stand for numbers. */
const CODENAMES: ReadonlyMap<string, string> = new Map([
  ['squeeze', '6'],
  ['wheezy', '7'],
  ['jessie', '8'],
  ['stretch', '9'],
  ['buster', '10'],
  ['bullseye', '11'],
  ['bookworm', '12'],
  ['trixie', '13'],
  ['forky', '14'],
  ['trusty', '14.04'],
  ['xenial', '16.04'],
  ['bionic', '18.04'],
  ['focal', '20.04'],
  ['jammy', '22.04'],
  ['noble', '24.04'],
  ['plucky', '25.04'],
  ['questing', '25.10'],
])

/**
 * How a record's release (`11`, `22.04:LTS`, `v3.18`, `enterprise_linux:8::baseos`, `Linux Enterprise Server 15 SP4`) stands to a
 * package's distribution (`debian-11.6`, `bookworm`, `alpine-3.18.4`, `sles-15.4`). A number that one of them leaves out fits any.
 */
export function releaseRelation(record: string | undefined, distribution: string | undefined): ReleaseRelation {
  if (record === undefined) return 'same'
  if (distribution === undefined) return 'unknown'
  const [stated, running] = [numbersOf(record), numbersOf(distribution)]
  if (stated.length > 0 && running.length > 0) {
    const isSame = stated.every((number, at) => running[at] === undefined || running[at] === number)
    return isSame ? 'same' : 'other'
  }
  if (distribution.toLowerCase().includes(record.toLowerCase())) return 'same'
  return running.length > 0 ? 'other' : 'unknown'
}

function numbersOf(text: string): readonly number[] {
  const named = CODENAMES.get(text.toLowerCase().replace(/^[a-z]+-(?=[a-z]+$)/, '')) ?? text
  // Products that run on a release say so at the end: openshift:4.13::el8.
  const built = /::el(\d+)/.exec(named)
  if (built !== null) return [Number(built[1])]
  const version = /\d+(?:\.\d+)*/.exec(named)
  if (version === null) return []
  const servicePack = /\bSP(\d+)\b/i.exec(named)
  const numbers = version[0].split('.').map(Number)
  return servicePack === null ? numbers : [...numbers, Number(servicePack[1])]
}
