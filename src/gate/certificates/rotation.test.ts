import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { randomBytes } from '#crypto/random'
import { readCertificateState, writeCertificateState } from './certificate-secret.js'
import { issueServingCertificate } from './issue.js'
import type { ServingCertificate } from './issue.js'
import { bundleOf, nextState } from './rotation.js'
import type { CertificateState, RotationView } from './rotation.js'

const MINUTE = 60_000
const DAY = 1440 * MINUTE
const BORN = Date.UTC(2026, 0, 1)
const NAMES = [{ kind: 'dns', value: 'webhook.example' }] as const

let old: ServingCertificate
let fresh: ServingCertificate

before(async () => {
  const issue = (now: number): Promise<ServingCertificate> =>
    issueServingCertificate({ names: NAMES, now, random: randomBytes })
  ;[old, fresh] = await Promise.all([issue(BORN), issue(BORN + 60 * DAY)])
})

const ALONE = { next: undefined, previous: undefined }
const announced = (since: number | undefined): Omit<CertificateState, 'current'> => ({
  ...ALONE,
  next: { certificate: fresh, since },
})
const follows = (since: number): Omit<CertificateState, 'current'> => ({
  ...ALONE,
  previous: { authority: old.authority, since },
})

/** What follows, by the names of the certificates. */
async function after(state: CertificateState, view: Partial<RotationView>): Promise<string> {
  const next = await nextState(state, {
    now: BORN,
    bundleIsOut: true,
    issue: () => Promise.resolve(fresh),
    ...view,
  })
  if (next === undefined) return 'nothing'
  const shown = next.current === old ? 'old' : 'fresh'
  const coming = next.next === undefined ? '' : `, fresh announced ${String((next.next.since ?? BORN) - BORN)}`
  return `${shown}${coming}${next.previous === undefined ? '' : ', old believed'}`
}

describe('how certificates follow one another', () => {
  const cases: readonly (readonly [string, () => [CertificateState, Partial<RotationView>], string])[] = [
    ['one that is young stays', () => [{ current: old, ...ALONE }, {}], 'nothing'],
    ['one that is old gets a successor', () => [{ current: old, ...ALONE }, { now: BORN + 61 * DAY }], announcedAt(0)],
    [
      'that it was announced is noted once the bundle is out, not before',
      () => [
        { current: old, ...announced(undefined) },
        { now: BORN + 5, bundleIsOut: false },
      ],
      'nothing',
    ],
    [
      'and from then on it counts',
      () => [{ current: old, ...announced(undefined) }, { now: BORN + 5 }],
      announcedAt(5),
    ],
    [
      'before everybody can have heard of it, it is not shown',
      () => [{ current: old, ...announced(BORN) }, { now: BORN + 9 * MINUTE }],
      'nothing',
    ],
    [
      'a bundle that somebody took away again has to be back first',
      () => [
        { current: old, ...announced(BORN) },
        { now: BORN + 11 * MINUTE, bundleIsOut: false },
      ],
      'nothing',
    ],
    [
      'then it is shown, and the old one is believed on',
      () => [{ current: old, ...announced(BORN) }, { now: BORN + 10 * MINUTE }],
      'fresh, old believed',
    ],
    [
      'one that has expired is replaced without waiting',
      () => [
        { current: old, ...announced(undefined) },
        { now: BORN + 91 * DAY, bundleIsOut: false },
      ],
      'fresh, old believed',
    ],
    [
      'for an hour',
      () => [{ current: fresh, ...follows(BORN + 60 * DAY) }, { now: BORN + 60 * DAY + 59 * MINUTE }],
      'nothing',
    ],
    ['and then no longer', () => [{ current: fresh, ...follows(BORN) }, { now: BORN + 60 * MINUTE }], 'fresh'],
  ]
  for (const [name, given, expected] of cases) {
    test(name, async () => {
      assert.equal(await after(...given()), expected)
    })
  }

  test('everybody who is shown, may be shown, or was shown is in the bundle', () => {
    const state: CertificateState = { current: old, next: { certificate: fresh, since: 1 }, previous: undefined }
    assert.equal(bundleOf(state), old.authority + fresh.authority)
    const later: CertificateState = { current: fresh, ...follows(BORN) }
    assert.equal(bundleOf(later), fresh.authority + old.authority)
  })
})

function announcedAt(millis: number): string {
  return `old, fresh announced ${String(millis)}`
}

describe('the Secret', () => {
  test('gives back what was put in', () => {
    const states: readonly CertificateState[] = [
      { current: old, ...ALONE },
      { current: old, ...announced(undefined) },
      { current: old, ...announced(BORN) },
      { current: fresh, ...follows(BORN) },
    ]
    for (const state of states) assert.deepEqual(readCertificateState({ data: writeCertificateState(state) }), state)
  })

  test('a time that nobody can read is no time: the wait begins again', () => {
    const data = writeCertificateState({ current: old, ...announced(BORN) })
    const read = readCertificateState({ data: { ...data, 'next-since': 'c29vbg==' } })
    assert.deepEqual(read?.next, { certificate: fresh, since: undefined })
  })

  for (const [name, change] of [
    ['without a certificate', { 'tls.crt': null }],
    ['without a key', { 'tls.key': '' }],
    ['whose certificate is none', { 'tls.crt': 'bm90aGluZw==' }],
    ['whose base64 is none', { 'tls.crt': '%' }],
    ['whose authority is missing', { 'current-ca.crt': 17 }],
  ] as const) {
    test(`${name} holds nothing`, () => {
      const data = { ...writeCertificateState({ current: old, ...ALONE }), ...change }
      assert.equal(readCertificateState({ data }), undefined)
    })
  }
})
