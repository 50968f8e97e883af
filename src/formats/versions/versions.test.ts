/** Orders of versions: chains that the specifications give, what is no version, and what every order must keep. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { fuzzRuns } from '#testing/fuzz'
import { compareAlpine } from './alpine.js'
import { compareDebian } from './debian.js'
import { compareMaven } from './maven.js'
import type { CompareVersions } from './order.js'
import { comparePackagist } from './packagist.js'
import { comparePep440 } from './pep440.js'
import { compareCran, compareHackage } from './plain.js'
import { compareRpm } from './rpm.js'
import { compareRubygems } from './rubygems.js'
import { compareBitnami, compareGo, compareNuget, comparePub, compareSemver } from './semver.js'

interface Vectors {
  readonly compare: CompareVersions
  /** Ascending; what stands between `=` is equal. */
  readonly chains: readonly string[]
  readonly none: readonly string[]
}

const VECTORS: Readonly<Record<string, Vectors>> = {
  // semver.org §11
  semver: {
    compare: compareSemver,
    chains: [
      '1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-alpha.beta < 1.0.0-beta < 1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0-rc.1 < 1.0.0',
      '1.0.0 < 2.0.0 < 2.1.0 < 2.1.1 < 2.10.0',
      '1.2.3 = v1.2.3 = 1.2.3+build = 1.2.3+other',
      '1.2 = 1.2.0 < 1.2.1',
      '1.0.0-5-Foo < 1.0.0-5-foo',
      '999999999999999999999998.0.0 < 999999999999999999999999.0.0',
    ],
    none: ['', 'latest', '1.x', '1..2', '1.0.0-', '1.0.0 beta', '^1.0.0', '1.1.1k'],
  },
  // pub_semver: what was built later is later.
  pub: {
    compare: comparePub,
    chains: ['1.0.0-pre < 1.0.0-pre+build < 1.0.0 < 1.0.0+1 < 1.0.0+9 < 1.0.0+a < 1.0.0+a.1'],
    none: ['any'],
  },
  nuget: {
    compare: compareNuget,
    chains: [
      '1.0.0-beta < 1.0.0-BETA2 < 1.0 = 1.0.0.0 < 1.0.0.1-alpha < 1.0.0.1',
      '1.0.0-BETA = 1.0.0-beta',
      '1.0.01 = 1.0.1',
    ],
    none: ['1.*'],
  },
  // go.dev/ref/mod#versions; go.dev/doc/toolchain for Go itself
  go: {
    compare: compareGo,
    chains: [
      'v0.0.0-20191109021931-daa7c04131f5 < v0.0.0-20200101000000-000000000000 < v0.1.0',
      'v2.0.0+incompatible = v2.0.0',
      'go1.20.14 < go1.21rc2 < go1.21.0 = 1.21.0 < go1.21.1',
      'go1.22.3 = go1.22.3 X:boringcrypto',
    ],
    none: ['(devel)', 'main', 'go'],
  },
  bitnami: { compare: compareBitnami, chains: ['6.1.9-4 < 6.2.0-3 = 6.2.0 < 6.2.1'], none: ['x'] },
  // PEP 440, "Summary of permitted suffixes and relative ordering"
  pep440: {
    compare: comparePep440,
    chains: [
      '1.dev0 < 1.0.dev456 < 1.0a1 < 1.0a2.dev456 < 1.0a12.dev456 < 1.0a12 < 1.0b1.dev456 < 1.0b2 < 1.0b2.post345.dev456 < 1.0b2.post345 < 1.0rc1.dev456 < 1.0rc1 < 1.0 < 1.0+abc.5 < 1.0+abc.7 < 1.0+5 < 1.0.post456.dev34 < 1.0.post456 < 1.0.15 < 1.1.dev1',
      '1.0 = 1.0.0 = v1.0 = 0!1.0 < 1!0.5',
      '1.1alpha1 = 1.1.a1 = 1.1-A_1',
      '1.1c1 = 1.1rc1 = 1.1-preview.1',
      '1.0-1 = 1.0.post1 = 1.0.rev1 = 1.0-r1',
      '1.0+ubuntu-1 = 1.0+ubuntu.1',
    ],
    none: ['', '1.0-bulbasaur', 'french toast', '1.0+a+1', '1.0.dev1.post1', '2013-01-21T20:33:09+0100'],
  },
  // Debian Policy §5.6.12
  debian: {
    compare: compareDebian,
    chains: [
      '1.0~~ < 1.0~~a < 1.0~ < 1.0 < 1.0a < 1.0+dfsg < 1.0.1',
      '1.2.3-1~deb7u1 < 1.2.3-1 < 1.2.3-1+deb7u1 < 1:1.0-1',
      '0:1.0 = 1.0 = 1.0-0 = 1.00',
      '2.7.4+reloaded2-13ubuntu1 < 2.7.4+reloaded2-13+deb9u1',
      '1.1.1n-0+deb11u3 < 1.1.1n-0+deb11u10',
    ],
    none: ['', '1.0 beta', '1_0', '1.0/2'],
  },
  // rpm-version(7)
  rpm: {
    compare: compareRpm,
    chains: [
      '1.0~rc1~git123 < 1.0~rc1 < 1.0~rc1^git1 < 1.0 < 1.0^git1 < 1.0^git2 < 1.0a < 1.0.1',
      '5.5p1 < 5.5p2 < 5.5p10',
      '10.0001 = 10.1 < 10.0039',
      '2_0 = 2.0',
      'xyz.4 < 8',
      '1 < 1-0 < 1-1 < 1-1.el7 < 1-2 < 1-123',
      '1:1 < 2:0 < 10:0',
      '0:3.10.0-229.el7 = 3.10.0-229.el7 < 3.10.0-229.1.2.el7',
    ],
    none: ['', 'a:1', '1.0 1'],
  },
  // apk-package(5)
  alpine: {
    compare: compareAlpine,
    chains: [
      '1.2_alpha < 1.2_beta < 1.2_beta2 < 1.2_pre < 1.2_rc1 < 1.2 < 1.2-r1 < 1.2_cvs1 < 1.2_svn1 < 1.2_git20200101 < 1.2_hg1 < 1.2_p1 < 1.2a < 1.2b < 1.2.1',
      '1.06-r6 < 1.5 < 1.10',
      '006 = 6',
      '1.8.31-r1 < 1.8.31p1-r1 < 1.8.31p2-r0',
      '3.0.7-r0 < 3.0.7-r2 < 3.0.7-r10',
    ],
    none: ['', '1-ruff', '1.2_blah', '0..1', '1.2A', '.1', '1.0bc'],
  },
  // POM reference, "Version Order Specification"
  maven: {
    compare: compareMaven,
    chains: [
      '1-alpha < 1-beta < 1-milestone < 1-rc < 1-SNAPSHOT < 1 < 1-sp < 1-abc < 1-1 < 1.1',
      '1 = 1.0 = 1-0 = 1.ga = 1.final = 1-RELEASE = 01',
      '1-a1 = 1-alpha-1 < 1-b2 = 1-beta-2 < 1-m3 = 1-milestone-3',
      '1-foo = 1.0.0-foo.0.0',
      '1-cr = 1-rc',
      '1a = 1-a',
      '2.14.1 < 2.15.0 < 2.17.1',
      '2.0-beta9 < 2.0-rc1 < 2.0 < 2.0.1',
      '6.1.0rc3 < 6.1.0 < 6.1H.5-beta',
      '20190126.230843 < 1234567890.12345 < 12345678901234567890.1H.5-beta',
    ],
    none: ['', '1.0 final', '${project.version}\n'],
  },
  // Gem::Version
  rubygems: {
    compare: compareRubygems,
    chains: [
      '1.0.a.2 = 1.0.a2 < 1.0.b1 < 1.0 = 1 = 1.0.0 < 1.0.1 < 3.2 < 3.10',
      '1.2.4.beta < 1.2.4',
      '1-1 = 1.pre.1 < 1',
    ],
    none: ['1beta', 'junk', '1..2', '1.0+x'],
  },
  // composer/semver, VersionParser
  packagist: {
    compare: comparePackagist,
    chains: [
      '1.0-dev < 1.0-alpha1 < 1.0-beta.2 < 1.0b3 < 1.0-RC1 < 1.0 = v1.0.0 = 1.0.0.0 = 1.0-stable < 1.0-p1 = 1.0-patch1 < 1.0.1',
      '1.0-RC1-dev < 1.0-RC1',
      '2017.12.5 < 2017.12.6',
    ],
    none: ['dev-main', 'dev-1.0', '1.0.x-dev', '1.2.3.#', ''],
  },
  hackage: { compare: compareHackage, chains: ['1 < 1.0 < 1.0.0 < 1.1 < 1.10'], none: ['1-a', ''] },
  cran: { compare: compareCran, chains: ['0.9 < 0.75 < 1.0-0 = 1.0.0 < 1.1-0', '0.1 < 0.1-1'], none: ['1.0a', ''] },
}

for (const [name, { compare, chains, none }] of Object.entries(VECTORS)) {
  describe(name, () => {
    for (const chain of chains) {
      test(chain, () => {
        const groups = chain.split(' < ').map((group) => group.split(' = '))
        groups.forEach((group, at) => {
          for (const [version, other, expected] of groups.flatMap((others, index) =>
            group.flatMap((v) => others.map((o) => [v, o, Math.sign(at - index)] as const)),
          )) {
            const order = compare(version, other)
            assert.equal(order === undefined ? undefined : Math.sign(order), expected, `${version} to ${other}`)
          }
        })
      })
    }

    for (const text of none) {
      test(`no version: ${JSON.stringify(text)}`, () => {
        assert.equal(compare(text, '1.0'), undefined)
        assert.equal(compare('1.0', text), undefined)
      })
    }

    test('any two texts are ordered one way, or not at all', () => {
      const piece = fc.constantFrom(
        ...'0129azALPHA.-_~^+: '.split(''),
        'rc',
        'alpha',
        'beta',
        'post',
        'dev',
        '10',
        '00',
      )
      const text = fc.oneof(
        fc.array(piece, { maxLength: 8 }).map((pieces) => `1${pieces.join('')}`),
        fc.string(),
      )
      fc.assert(
        fc.property(text, text, text, (a, b, c) => {
          const [ab, ba, aa] = [compare(a, b), compare(b, a), compare(a, a)]
          assert.equal(ab === undefined ? undefined : Math.sign(ab), ba === undefined ? undefined : -Math.sign(ba) + 0)
          assert.ok(aa === undefined || aa === 0)
          const [bc, ac] = [compare(b, c), compare(a, c)]
          // Maven's own order has circles: 1.foo < 1-alpha < 1 < 1.foo.
          if (name !== 'maven' && ab !== undefined && bc !== undefined && ab <= 0 && bc <= 0)
            assert.ok(ac !== undefined && ac <= 0, `${a} ≤ ${b} ≤ ${c}`)
        }),
        { numRuns: fuzzRuns() },
      )
    })

    test('long texts take no long time', () => {
      for (const unit of ['1', '1.', '0', 'a', '-', '~', '1a', '.1-', '_p1', '-rc1', '+a']) {
        const long = `1${unit.repeat(1000 / unit.length)}`
        const start = process.hrtime.bigint()
        compare(`${long}!`, long)
        assert.ok(process.hrtime.bigint() - start < 200_000_000n, unit)
      }
      assert.equal(compare('1'.repeat(2000), '1'), undefined)
    })
  })
}
