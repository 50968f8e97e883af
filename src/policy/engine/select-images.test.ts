import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fuzzRuns } from '#testing/fuzz'
import type { ImageSelector } from '../internal/image.js'
import { globPattern, isGlob } from '../internal/glob.js'
import { wildcardPattern } from '../internal/wildcard.js'
import { compilePattern } from '#verify/pattern/pattern'
import { ImageForms } from '../internal/image-forms.js'
import { selectImage } from './select-images.js'
import { readImageName } from '../internal/image-name.js'

function formsOf(name: string): ImageForms {
  return new ImageForms(readImageName(name), undefined)
}

const DIGEST = `sha256:${'a'.repeat(64)}`

const glob = (text: string): ImageSelector => ({ kind: 'cip-glob', glob: text })
const wildcard = (pattern: string): ImageSelector => ({ kind: 'wildcard', pattern })

function selects(selector: ImageSelector, name: string): boolean {
  return selectImage({ include: [selector], skip: [] }, formsOf(name)) === 'selected'
}

for (const [selector, name, expected] of [
  // Anchored, `*` within a part, `**` across parts.
  [glob('ghcr.io/acme/*'), 'ghcr.io/acme/app', true],
  [glob('ghcr.io/acme/*'), 'ghcr.io/acme/app:1', true],
  [glob('ghcr.io/acme/*'), `ghcr.io/acme/app@${DIGEST}`, true],
  [glob('ghcr.io/acme/*'), 'ghcr.io/acme/team/app', false],
  [glob('ghcr.io/acme/**'), 'ghcr.io/acme/team/app', true],
  [glob('ghcr.io/acme/app'), 'ghcr.io/acme/app', true],
  [glob('ghcr.io/acme/app'), 'ghcr.io/acme/app:1', false],
  [glob('ghcr.io/acme/app:1'), 'ghcr.io/acme/app:1', true],
  [glob('ghcr.io/acme/app:1'), 'ghcr.io/acme/app:12', false],
  [glob('ghcr.io/acme/*'), 'evil.example/ghcr.io/acme/app', false],
  // A dot is a dot.
  [glob('ghcr.io/**'), 'ghcrxio.example/app', false],
  // Docker Hub.
  [glob('*'), 'ubuntu', true],
  [glob('*'), 'acme/app', false],
  [glob('*/*'), 'acme/app', true],
  [glob('*'), 'ghcr.io/app', false],
  [glob('index.docker.io/library/ubuntu:*'), 'ubuntu', true],
  [glob('**'), 'ghcr.io/a/b/c', true],
  // Other spellings of one host.
  [glob('ghcr.io/**'), 'GHCR.io/acme/app', true],
  [glob('ghcr.io/**'), 'ghcr.io:443/acme/app', true],
  [glob('ghcr.io/**'), 'ghcr.io:0443/acme/app', true],
  [glob('ghcr.io/**'), 'GHCR.io./acme/app', true],
  [glob('ghcr.io/**'), 'ghcr.io.:00443/acme/app', true],
  [glob('ghcr.io/**'), 'ghcr.io:444/acme/app', false],
  [glob('registry.example.net:5000/**'), 'registry.example.net:05000/acme/app', true],
  [glob('registry.example.net:5000/**'), 'registry.example.net/acme/app', false],
  [wildcard('ghcr.io/*'), 'ghcr.io:0443/acme/app', true],
  [glob('index.docker.io/acme/*'), 'registry-1.docker.io/acme/app', true],
  [wildcard('docker.io/acme/*'), `Registry.Hub.Docker.com/acme/app@${DIGEST}`, true],
  [wildcard('GHCR.IO/*'), 'GHCR.IO/acme/app', true],
  // A pattern about tags is about digests, too.
  [glob('ghcr.io/acme/app:*'), `ghcr.io/acme/app@${DIGEST}`, true],
  [glob('ghcr.io/acme/app:v1*'), `ghcr.io/acme/app@${DIGEST}`, false],
  [glob('ghcr.io/acme/app:v1*'), `ghcr.io/acme/app:v1.2@${DIGEST}`, true],
  [glob(`ghcr.io/acme/app@${DIGEST}`), `ghcr.io/acme/app:v1@${DIGEST}`, true],
  [wildcard('ghcr.io/acme/*'), 'ghcr.io/acme/team/app:1', true],
  [wildcard('ghcr.io/acme/app:*'), `ghcr.io/acme/app@${DIGEST}`, true],
  [wildcard('ghcr.io/acme/app:?*'), `ghcr.io/acme/app@${DIGEST}`, true],
  [wildcard('ghcr.io/acme/app:*'), `ghcr.io/acme/app:1@${DIGEST}`, true],
  [wildcard('ghcr.io/acme/app:*'), 'ghcr.io/acme/apple:1', false],
  [wildcard('docker.io/*'), 'ubuntu:22.04', true],
  [wildcard('index.docker.io/*'), 'docker.io/library/ubuntu', true],
  [wildcard('docker.io/ubuntu:*'), 'index.docker.io/library/ubuntu', true],
  [wildcard('ubuntu:*'), 'docker.io/library/ubuntu', true],
  [wildcard('ghcr.io/*'), 'ghcrxio.example/app', false],
  [wildcard('registry.example.net/*'), 'registry.example.net.evil.example/app', false],
  [wildcard('*'), 'whatever', true],
  [wildcard('ghcr.io/a?p:*'), 'ghcr.io/app:1', true],
  [wildcard('ghcr.io/a?p:*'), 'ghcr.io/ap:1', false],
] as const) {
  const text =
    selector.kind === 'cip-glob' ? `glob ${selector.glob}` : selector.kind === 'wildcard' ? selector.pattern : ''
  test(`${text} ${expected ? 'selects' : 'leaves out'} ${name}`, () => {
    assert.equal(selects(selector, name), expected)
  })
}

test('what is to be skipped is told apart from what was never meant', () => {
  const selection = { include: [wildcard('ghcr.io/*')], skip: [wildcard('ghcr.io/acme/tools:*')] }
  assert.equal(selectImage(selection, formsOf('ghcr.io/acme/tools:1')), 'skipped')
  assert.equal(selectImage(selection, formsOf('ghcr.io/acme/app:1')), 'selected')
  assert.equal(selectImage(selection, formsOf('quay.io/acme/app:1')), 'not selected')
  assert.equal(selectImage(selection, formsOf('GHCR.IO/acme/tools:1')), 'selected')
})

test('a tag that a digest makes meaningless skips nothing', () => {
  const selection = { include: [wildcard('*')], skip: [wildcard('ghcr.io/acme/app:debug*'), wildcard('busybox:*')] }
  assert.equal(selectImage(selection, formsOf('ghcr.io/acme/app:debug')), 'skipped')
  assert.equal(selectImage(selection, formsOf(`ghcr.io/acme/app:debug@${DIGEST}`)), 'selected')
  assert.equal(selectImage(selection, formsOf(`ghcr.io/acme/app@${DIGEST}`)), 'selected')
  assert.equal(selectImage(selection, formsOf('index.docker.io/library/busybox:1')), 'skipped')
  assert.equal(selectImage(selection, formsOf(`busybox:1@${DIGEST}`)), 'selected')
})

test('every wildcard text compiles, and is itself where it has none', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      const pattern = compilePattern(wildcardPattern(text))
      assert.equal(pattern.matches(text), true)
    }),
    { numRuns: fuzzRuns() },
  )
})

test('every glob compiles', () => {
  const character = fc.constantFrom(...Array.from('ab*/:@.-_'))
  fc.assert(
    fc.property(fc.string({ unit: character, minLength: 1, maxLength: 40 }), (text) => {
      assert.equal(isGlob(text), true)
      compilePattern(globPattern(text)).matches('a'.repeat(200))
    }),
    { numRuns: fuzzRuns() },
  )
})

for (const text of [
  '',
  ' ',
  'A',
  'a b',
  'a:',
  '@',
  'a@sha256:1',
  'a@sha512:1',
  '../a',
  'ghcr.io/acme/../evil/app',
  'ghcr.io/./app',
  'http://a/b',
  'a//b',
  '\u0000',
  'a'.repeat(2000),
]) {
  test(`no image: ${JSON.stringify(text.slice(0, 30))}`, () => {
    assert.throws(() => readImageName(text), { code: 'POLICY_IMAGE' })
  })
}
