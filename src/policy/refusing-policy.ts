/** What stands in for a policy that cannot be used: nothing passes that it would have been asked about. @module */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import type { JsonObject } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { Complaints, Fields } from './internal/fields.js'
import type { ImageSelector } from './internal/image.js'
import type { Action, CompiledPolicy, PolicyLanguage } from './internal/policy.js'

/** What a policy is about, read from a document that is otherwise broken. */
export interface Guarded {
  readonly include: readonly ImageSelector[]
  readonly action: Action
}

interface Refusing {
  readonly language: PolicyLanguage
  /** Undefined: anything. */
  readonly guarded: Guarded | undefined
  readonly why: Error
}

const EVERY_IMAGE: ImageSelector = { kind: 'expression', source: 'every image', selects: () => true }

/** A policy whose only authority refuses, and says why. */
export function refusingPolicy(document: JsonObject, { language, guarded, why }: Refusing): CompiledPolicy {
  const metadata = new Fields(document, '', new Complaints()).object('metadata')
  const [name, namespace] = [metadata?.text('name') ?? '', metadata?.text('namespace')]
  const { include, action } = guarded ?? { include: [EVERY_IMAGE], action: 'deny' }
  const message = `the policy ${name} cannot be used, and refuses what it is about until it can: ${why.message}`
  return {
    language,
    name,
    ...(namespace !== undefined && { namespace }),
    rules: [
      {
        kind: 'images',
        name: '',
        matcher: { explained: [], matches: () => true },
        extract: undefined,
        images: { include, skip: [] },
        demand: { kind: 'static', name: '', action: 'fail', message },
        conclusion: undefined,
        digests: { mutate: false, verify: false, required: true },
        enforcement: { explained: [action], actionFor: () => action },
        wording: {
          refused: ({ occurrence: { path, image } }) => `failed policy: ${name}: ${path}\n${image.text} ${message}`,
        },
      },
    ],
    warnings: [message],
    contentHash: encodeHex(sha256(encodeUtf8(JSON.stringify({ document, message })))),
  }
}
