/** A private Sigstore, a registry, and the commands of the inventory over both. @module */
import assert from 'node:assert/strict'
import { command as attest } from '#cli/commands/attest'
import { command as generate } from '#cli/commands/generate-key-pair'
import { command as find } from '#cli/commands/inventory-find'
import { command as inventory } from '#cli/commands/inventory'
import type { JsonObject } from '#encoding/json'
import { openSigningBench, type Outcome, type SigningBench } from './signing-bench.js'

type Files = Readonly<Record<string, string>>

export interface Attesting {
  readonly type?: string
  /** Who signs; by default Ann. */
  readonly as?: string
  readonly flags?: readonly string[]
}

export interface AnswerDocument {
  readonly verdict: string
  readonly found: readonly FindingsDocument[]
  readonly possible: readonly FindingsDocument[]
  readonly excused: readonly FindingsDocument[]
  readonly unknown: readonly { readonly reason: string; readonly platform: string | null }[]
  readonly brokenRecords: readonly { readonly path: string }[]
  readonly notes: readonly string[]
}

interface FindingsDocument {
  readonly image: {
    readonly names: readonly string[]
    readonly digestBasis: string
    readonly workloads: readonly JsonObject[]
  }
  readonly digest: string
  readonly platform: string | null
  readonly components: readonly {
    readonly name: string
    readonly version: string
    readonly standing: string
    readonly locations: readonly string[]
    readonly sboms: readonly { readonly signer: { readonly identity: string }; readonly attachedTo: string }[]
    readonly vex?: { readonly status: string; readonly signer: { readonly identity: string } }
  }[]
}

export interface InventoryBench {
  readonly bench: SigningBench
  /** Flags: bills of materials by Ann count. */
  readonly ann: readonly string[]
  attested(image: string, predicate: string, how?: Attesting): Promise<void>
  /** Takes the inventory of that name. */
  take(name: string, words: readonly string[], files?: Files): Promise<Outcome>
  /** Asks it. */
  ask(name: string, words: readonly string[], files?: Files): Promise<Outcome>
  answer(name: string, words: readonly string[], files?: Files): Promise<AnswerDocument & { readonly code: number }>
  /** A name of its own, so that tests do not share what they stored. */
  named(): string
}

export async function openInventoryBench(): Promise<InventoryBench> {
  const bench = await openSigningBench()
  await bench.run(generate, [])
  const identity = ['--certificate-identity', 'ann@example.com', '--certificate-oidc-issuer', bench.issuer]
  const ask: InventoryBench['ask'] = (name, words, files = {}) => bench.run(find, ['--name', name, ...words], { files })
  let serial = 0
  return {
    bench,
    ann: [...identity, '--trusted-root', 'root.json'],
    attested: async (image, predicate, { type = 'cyclonedx', as, flags = [] } = {}) => {
      const token = as === undefined ? {} : { [`token-${as}`]: await bench.sigstore.token(as) }
      const signing = ['--signing-config', 'config.json', '--trusted-root', 'root.json', '-y', '--type', type]
      const who = ['--identity-token', as === undefined ? 'token' : `token-${as}`]
      const words = [...signing, ...who, '--predicate', 'predicate', ...flags, image]
      succeeded(await bench.run(attest, words, { files: { predicate, ...token } }))
    },
    take: (name, words, files = {}) => bench.run(inventory, ['--name', name, ...words], { files }),
    ask,
    answer: async (name, words, files = {}) => {
      const outcome = await ask(name, [...words, '--output', 'json'], files)
      return { ...(JSON.parse(outcome.stdout) as AnswerDocument), code: outcome.code }
    },
    named: () => `t${String(serial++)}`,
  }
}

export function succeeded(outcome: Outcome): Outcome {
  assert.equal(outcome.code, 0, outcome.stderr)
  return outcome
}

export function errorCode(outcome: Outcome): string {
  assert.equal(outcome.code, 2, outcome.stdout)
  return (JSON.parse(outcome.stdout) as { error: { code: string } }).error.code
}
