import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContentReader } from '#clients/registry/registry'
import { RegistryError } from '#clients/registry/registry-error'
import { DEFAULT_SOURCE } from '#policy/internal/attestor'
import type { EnginePorts } from '#policy/engine/ports'
import { createReviewPorts } from './review-ports.js'

const pinned = { repository: { registry: 'ghcr.io', repository: 'acme/app' }, digest: `sha256:${'a'.repeat(64)}` }

for (const [format, asked] of [
  ['any', ['referrers', `sha256-${'a'.repeat(64)}.sig`]],
  ['legacy', ['referrers', `sha256-${'a'.repeat(64)}.sig`]],
  ['bundle', ['referrers']],
] as const) {
  test(`a policy that counts signatures of the format ${format} asks for ${asked.join(' and ')}`, async () => {
    const questions: string[] = []
    const ports = createReviewPorts(emptyRegistry(questions), {
      trustRoot: () => Promise.reject(new Error('nobody asks')),
      key: () => Promise.reject(new Error('nobody asks')),
      cluster: {} as EnginePorts['cluster'], // of no use to who asks a registry
      clock: () => 0,
    })
    const source = { ...DEFAULT_SOURCE, format }
    const ask = { pinned, kind: 'signature', predicateType: undefined, source } as const
    const found = await ports.attachments(ask, new AbortController().signal)
    assert.deepEqual(found.attachments, [])
    assert.deepEqual(questions.sort(), [...asked].sort())
  })
}

function emptyRegistry(questions: string[]): ContentReader {
  return {
    resolve: () => Promise.reject(new Error('nobody asks')),
    blob: () => Promise.reject(new Error('nobody asks')),
    openBlob: () => {
      throw new Error('nobody asks')
    },
    manifest: (_, reference) => {
      questions.push(reference)
      return Promise.reject(new RegistryError('REGISTRY_NOT_FOUND', 'there is none'))
    },
    referrers: () => {
      questions.push('referrers')
      return Promise.resolve({ source: 'api', descriptors: [] })
    },
  }
}
