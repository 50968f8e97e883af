import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startVirtualSigstore } from '#testing/virtual-sigstore'
import { keepTrustRepositories } from './trust-repositories.js'

const sigstore = await startVirtualSigstore()
const { mirror, root } = sigstore.tuf
const HOUR = 3_600_000

function counting() {
  const state = { asked: 0, broken: false, now: sigstore.clock() }
  const load = keepTrustRepositories({
    clock: () => state.now,
    fetch: async (url, init) => {
      state.asked++
      return state.broken ? new Response(null, { status: 503 }) : await sigstore.fetch(url, init)
    },
  })
  return { state, load }
}

test('is fetched once, and again after an hour', async () => {
  const { state, load } = counting()
  const [first, second] = await Promise.all([load({ mirror, root }), load({ mirror, root })])
  assert.equal(first, second)
  assert.ok(first.certificateAuthorities.length > 0)
  const { asked } = state
  await load({ mirror, root })
  assert.equal(state.asked, asked)
  state.now += HOUR
  await load({ mirror, root })
  assert.ok(state.asked > asked)
})

test('what was had once goes on to count while it cannot be had again', async () => {
  const { state, load } = counting()
  const first = await load({ mirror, root })
  state.broken = true
  state.now += HOUR
  assert.equal(await load({ mirror, root }), first)
  const { asked } = state
  assert.equal(await load({ mirror, root }), first)
  assert.equal(state.asked, asked)
})

test('what was never had is an error, and asked for again', async () => {
  const { state, load } = counting()
  state.broken = true
  await assert.rejects(load({ mirror, root }), { code: 'POLICY_TRUST_ROOT' })
  state.broken = false
  await load({ mirror, root })
})

test('a repository that nothing is known of, and one whose root is another', async () => {
  const { load } = counting()
  await assert.rejects(load({ mirror: 'https://tuf.example.com', root: undefined }), { code: 'POLICY_TRUST_ROOT' })
  for (const wrong of [new Uint8Array(), new TextEncoder().encode('{}'), root.slice(0, -10)])
    await assert.rejects(load({ mirror, root: wrong }), { code: 'POLICY_TRUST_ROOT' })
})
