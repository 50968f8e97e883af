import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { Judged, VerificationSubject } from '#policy/engine/verification-memory'
import { DEFAULT_SOURCE, DEFAULT_TRUST, type Attestor } from '#policy/internal/attestor'
import { fakeTimers } from '#testing/fake-timers'
import { createTestPki, type TestPki } from '#testing/pki/pki'
import { DEFAULT_CACHE_LIMITS, VerificationCache, type CacheAnswer, type CacheLimits } from './verification-cache.js'

let pki: TestPki
let other: TestPki
before(async () => {
  ;[pki, other] = [await createTestPki(), await createTestPki()]
})

const attestorOf = (subject: string, more: Partial<Attestor> = {}): Attestor => ({
  name: 'us',
  signer: {
    kind: 'keyless',
    anyOf: [
      {
        issuer: [{ kind: 'exact', text: 'https://issuer.example.com' }],
        subject: [{ kind: 'exact', text: subject }],
        claims: new Map(),
      },
    ],
  },
  trust: DEFAULT_TRUST,
  evidence: { tlog: 'required', timestamp: 'accepted', sct: 'required' },
  source: DEFAULT_SOURCE,
  annotations: new Map(),
  ...more,
})

interface Asked {
  readonly digest?: string
  readonly repository?: string
  readonly attestor?: Attestor
  readonly trust?: TestPki
  readonly predicateType?: string
}

const subjectOf = (asked: Asked = {}): VerificationSubject => ({
  pinned: {
    repository: { registry: 'ghcr.io', repository: asked.repository ?? 'acme/app' },
    digest: asked.digest ?? `sha256:${'a'.repeat(64)}`,
  },
  ready: {
    attestor: asked.attestor ?? attestorOf('ann@example.com'),
    key: undefined,
    trust: (asked.trust ?? pki).trusted,
  },
  predicateType: asked.predicateType,
})

const NOTHING: Judged = { accepted: [], rejected: [], unfetched: [], otherTypes: [] }
// Only how many there are matters to the cache.
const YES = { ...NOTHING, accepted: [{ signature: {}, statement: undefined }] } as unknown as Judged

function open(limits: Partial<CacheLimits> = {}) {
  const time = fakeTimers()
  const answers: CacheAnswer[] = []
  const { clock, timers } = time
  const cache = new VerificationCache({
    limits: { ...DEFAULT_CACHE_LIMITS, ...limits },
    clock,
    timers,
    onAnswer: (answer) => answers.push(answer),
  })
  const ask = async (asked: Asked = {}, judged: Judged = YES, identity = 'installation'): Promise<CacheAnswer> => {
    await cache.memoryFor(() => Promise.resolve(identity)).judged(subjectOf(asked), () => Promise.resolve(judged))
    return answers.at(-1) ?? 'miss'
  }
  return { cache, time, ask, answers }
}

describe('what is another question', () => {
  const OTHERS: readonly (readonly [string, () => Asked])[] = [
    ['another digest', () => ({ digest: `sha256:${'b'.repeat(64)}` })],
    ['another repository', () => ({ repository: 'acme/other' })],
    ['another signer', () => ({ attestor: attestorOf('mallory@example.com') })],
    [
      'less evidence',
      () => ({
        attestor: attestorOf('ann@example.com', {
          evidence: { tlog: 'ignored', timestamp: 'accepted', sct: 'required' },
        }),
      }),
    ],
    [
      'an annotation',
      () => ({
        attestor: attestorOf('ann@example.com', { annotations: new Map([['a', { kind: 'exact', text: 'b' }]]) }),
      }),
    ],
    [
      'signatures that are elsewhere',
      () => ({ attestor: attestorOf('ann@example.com', { source: { ...DEFAULT_SOURCE, repository: 'ghcr.io/x/y' } }) }),
    ],
    ['another trust', () => ({ trust: other })],
    ['attestations', () => ({ predicateType: 'https://slsa.dev/provenance/v1' })],
  ]
  for (const [name, asked] of OTHERS) {
    test(name, async () => {
      const { ask } = open()
      assert.equal(await ask(), 'miss')
      assert.equal(await ask(), 'hit')
      assert.equal(await ask(asked()), 'miss')
    })
  }

  test('another reader', async () => {
    const { ask } = open()
    assert.deepEqual([await ask(), await ask({}, YES, 'team-b')], ['miss', 'miss'])
  })

  test('the attestor’s name and the object that it is are no part of the question', async () => {
    const { ask } = open()
    await ask()
    assert.equal(await ask({ attestor: attestorOf('ann@example.com', { name: 'them' }) }), 'hit')
  })
})

describe('for how long', () => {
  test('yes for an hour, no for moments', async () => {
    const { ask, time } = open()
    await ask()
    await ask({ repository: 'acme/bare' }, NOTHING)
    await time.advance(9_999)
    assert.equal(await ask({ repository: 'acme/bare' }, NOTHING), 'hit')
    await time.advance(1)
    assert.equal(await ask({ repository: 'acme/bare' }, NOTHING), 'miss')
    await time.advance(3_589_999)
    assert.equal(await ask(), 'hit')
    await time.advance(1)
    assert.equal(await ask(), 'miss')
  })

  test('what could not be fetched as a whole is not kept, be it a yes or a no', async () => {
    const { ask } = open()
    for (const judged of [YES, NOTHING]) {
      await ask({}, { ...judged, unfetched: [new Error('503')] })
      assert.equal(await ask({}, { ...judged, unfetched: [new Error('503')] }), 'miss')
    }
  })

  test('an error is not kept', async () => {
    const { cache, ask } = open()
    const memory = cache.memoryFor(() => Promise.resolve('installation'))
    await assert.rejects(Promise.resolve(memory.judged(subjectOf(), () => Promise.reject(new Error('no')))), /no/)
    assert.equal(await ask(), 'miss')
  })

  test('nothing at all, if that is asked for; and everything is forgotten on request', async () => {
    const never = open({ positiveMillis: 0, negativeMillis: 0 })
    await never.ask()
    assert.equal(await never.ask(), 'miss')
    const { cache, ask } = open()
    await ask()
    cache.clear()
    assert.deepEqual(cache.size, { entries: 0, bytes: 0, flights: 0 })
    assert.equal(await ask(), 'miss')
  })
})

describe('how much', () => {
  test('what was used longest ago goes first', async () => {
    const { cache, ask, time } = open({ entries: 2, negativeMillis: 3_600_000 })
    for (const repository of ['a', 'b']) await ask({ repository })
    await time.advance(10_000)
    await ask({ repository: 'a' })
    await ask({ repository: 'c' })
    assert.equal(cache.size.entries, 2)
    assert.equal(await ask({ repository: 'a' }), 'hit')
    assert.equal(await ask({ repository: 'b' }), 'miss')
  })

  test('bytes are bounded, and one entry never takes most of them', async () => {
    const { cache, ask } = open({ bytes: 1024 * 1024 })
    const statement = new Uint8Array(10 * 1024)
    const large = { ...YES, accepted: [{ ...YES.accepted[0], statement }] } as unknown as Judged
    for (let index = 0; index < 100; index++) await ask({ repository: `r${String(index)}` }, large)
    assert.ok(cache.size.bytes <= 1024 * 1024 && cache.size.entries > 5, JSON.stringify(cache.size))
    const huge = { ...YES, accepted: [{ ...YES.accepted[0], statement: new Uint8Array(1024 * 1024) }] }
    await ask({ repository: 'huge' }, huge as unknown as Judged)
    assert.equal(await ask({ repository: 'huge' }), 'miss')
  })
})

describe('at the same moment', () => {
  test('one question for all who ask', async () => {
    const { cache, answers } = open()
    const memory = cache.memoryFor(() => Promise.resolve('installation'))
    let verified = 0
    const asked = Array.from({ length: 100 }, () =>
      Promise.resolve(
        memory.judged(subjectOf(), () => {
          verified++
          return Promise.resolve(YES)
        }),
      ),
    )
    await Promise.all(asked)
    assert.equal(verified, 1)
    assert.deepEqual([answers[0], new Set(answers.slice(1))], ['miss', new Set(['joined'])])
  })

  test('one that hangs is given up, so that it can be asked again', async () => {
    const { cache, time, ask } = open()
    const memory = cache.memoryFor(() => Promise.resolve('installation'))
    const pending = Promise.resolve(
      memory.judged(
        subjectOf(),
        (signal) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              reject(new Error('given up'))
            })
          }),
      ),
    )
    const refused = assert.rejects(pending, /given up/)
    await time.advance(30_000)
    await refused
    assert.equal(await ask(), 'miss')
    assert.equal(cache.size.flights, 0)
  })

  test('more at once than there may be are not begun', async () => {
    const { cache } = open({ flights: 2 })
    const memory = cache.memoryFor(() => Promise.resolve('installation'))
    const hang = (): Promise<Judged> => new Promise(() => undefined)
    for (const repository of ['a', 'b']) void memory.judged(subjectOf({ repository }), hang)
    await assert.rejects(Promise.resolve(memory.judged(subjectOf({ repository: 'c' }), hang)), {
      code: 'VERIFICATION_BUSY',
    })
  })
})
