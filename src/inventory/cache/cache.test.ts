import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CodedError, isCodedError } from '#errors'
import { parsePurl } from '#formats/purl/purl'
import { fuzzRuns } from '#testing/fuzz'
import type { ComponentMatcher, Needles } from '../query/matcher.js'
import { namesOfCandidate } from '../query/package-match.js'
import { purlMatcher } from '../query/purl-query.js'
import { termMatcher } from '../query/term.js'
import { entryKey, openEntries } from './entries.js'
import {
  attestationHeaders,
  namesInLine,
  packAttestations,
  parseComponent,
  storedComponents,
  type SbomHeader,
  type StoredAttestation,
  type StoredComponent,
} from './entry.js'
import type { CacheFiles } from './files.js'
import { loadInventory, storeInventory } from './inventory-file.js'
import { seal, unseal } from './sealed.js'

interface MemoryFiles extends CacheFiles {
  readonly content: Map<string, Uint8Array>
}

function memoryFiles(): MemoryFiles {
  const content = new Map<string, Uint8Array>()
  return {
    content,
    read: async (path) => {
      const found = content.get(path)
      if (found === undefined) throw new CodedError('CLI_FILE_MISSING', `open ${path}`)
      return found
    },
    write: async (path, bytes) => {
      content.set(path, typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes)
    },
    exists: async (path) => content.has(path),
    list: async (folder) => {
      const below = [...content.keys()].filter((path) => path.startsWith(`${folder}/`))
      return [...new Set(below.map((path) => path.slice(folder.length + 1).split('/')[0] ?? ''))].map((name) => ({
        name,
      }))
    },
    remove: async (path) => {
      content.delete(path)
    },
  }
}

const HEADER: SbomHeader = {
  kind: 'sbom',
  signer: { identity: 'ann@example.com', issuer: 'https://issuer.example.com' },
  signedAt: 1,
  format: 'CycloneDX',
  version: '1.6',
  completeness: 'unstated',
  contained: 1,
  distribution: undefined,
  count: 1,
}
const sbom = (...components: readonly StoredComponent[]): StoredAttestation => ({ ...HEADER, components })

const text = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1 }),
  fc.constantFrom('a-b', 'Log4J', 'x"y', 'a\\b', 'é', 'İ', 'a\nb', '["'),
)
const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined })
const purl = fc
  .tuple(
    fc.constantFrom('npm', 'maven', 'generic', 'pypi', 'deb'),
    fc.array(fc.string({ unit: 'grapheme', minLength: 1 }), { maxLength: 2 }),
    fc.string({ unit: 'grapheme', minLength: 1 }),
    maybe(fc.string({ unit: 'grapheme', minLength: 1 })),
  )
  .map(([type, namespace, name, version]) => {
    const encode = (part: string): string => encodeURIComponent(part.toWellFormed())
    return `pkg:${[type, ...namespace.map(encode), encode(name)].join('/')}${version === undefined ? '' : `@${encode(version)}`}`
  })
const anyComponent: fc.Arbitrary<StoredComponent> = fc
  .record({
    group: maybe(text),
    name: text,
    version: maybe(text),
    purl: maybe(purl),
    cpes: fc.array(
      fc.oneof(
        text,
        text.map((product) => `cpe:2.3:a:vendor:${product}:1.0:*:*:*:*:*:*:*`),
      ),
      { maxLength: 2 },
    ),
    hashes: fc.array(text, { maxLength: 2 }),
    locations: fc.array(text, { maxLength: 2 }),
    source: maybe(fc.tuple(text, maybe(text)).map(([name, version]) => ({ name, version }))),
  })
  .map((component) => {
    try {
      const read = component.purl === undefined ? undefined : parsePurl(component.purl)
      return storedComponents([{ ...component, purl: read }])[0] as StoredComponent
    } catch {
      return { ...component, purl: undefined }
    }
  })

function lineOf(component: StoredComponent): string {
  return packAttestations([sbom(component)]).split('\n')[1] ?? ''
}

describe('entries', () => {
  test('components come back as they were', () => {
    fc.assert(
      fc.property(anyComponent, (component) => {
        assert.deepEqual(parseComponent(lineOf(component)), component)
      }),
      { numRuns: fuzzRuns() },
    )
  })

  test('names that are read off a line are all names', () => {
    fc.assert(
      fc.property(anyComponent, (component) => {
        const quick = namesInLine(lineOf(component))
        if (quick === undefined) return
        const read = component.purl === undefined ? undefined : parsePurl(component.purl)
        const lower = quick.map((name) => name.toLowerCase())
        for (const name of namesOfCandidate({ component, purl: read, distribution: undefined }))
          assert.ok(lower.includes(name.toLowerCase()), `${name} in ${lineOf(component)}`)
      }),
      { numRuns: fuzzRuns() },
    )
  })

  test('what a question asks a line for is in every line that matches', () => {
    const holds = (line: string, needles: Needles | undefined): boolean =>
      needles?.some((group) => group.every((needle) => line.toLowerCase().includes(needle))) ?? true
    const asked = (make: () => ComponentMatcher): readonly ComponentMatcher[] => {
      try {
        return [make()]
      } catch (error) {
        assert.ok(isCodedError(error))
        return []
      }
    }
    const matcherFor = (word: string, component: StoredComponent): readonly ComponentMatcher[] => [
      ...asked(() => termMatcher(word, { exact: false })),
      ...(component.purl === undefined ? [] : [purlMatcher(component.purl)]),
    ]
    fc.assert(
      fc.property(anyComponent, fc.nat(), fc.nat(), (component, from, length) => {
        const names = [component.name, component.group, component.purl, component.source?.name, ...component.cpes]
        for (const name of names) {
          const start = from % ((name?.length ?? 0) + 1)
          const word = (name ?? '').slice(start, start + 2 + (length % 12))
          for (const matcher of matcherFor(word, component)) {
            if (matcher.match(component, HEADER).length > 0)
              assert.ok(holds(lineOf(component), matcher.needles), `${word} in ${lineOf(component)}`)
          }
        }
      }),
      { numRuns: fuzzRuns() },
    )
  })

  test('headers are read without components', () => {
    const vex = { kind: 'vex', signer: HEADER.signer, signedAt: 2, id: 'x', statements: 0, predicate: {} } as const
    const component = parseComponent('["a","1","pkg:npm/a@1"]')
    const headers = attestationHeaders(packAttestations([sbom(component, component), vex, sbom()]))
    assert.deepEqual(
      headers.map(({ kind }) => kind),
      ['sbom', 'vex', 'sbom'],
    )
  })
})

describe('sealed texts', () => {
  test('come back whole or not at all', () => {
    const sealed = seal('a', 'some text\nin lines')
    assert.equal(unseal('a', sealed), 'some text\nin lines')
    assert.equal(unseal('b', sealed), undefined, 'what stands under the name of another')
    for (let cut = 0; cut < sealed.length; cut++) assert.equal(unseal('a', sealed.subarray(0, cut)), undefined)
    for (let at = 0; at < sealed.length; at++) {
      const damaged = sealed.slice()
      damaged[at] = (damaged[at] ?? 0) ^ 1
      assert.equal(unseal('a', damaged), undefined)
    }
    assert.equal(unseal('a', new Uint8Array(4096)), undefined)
  })
})

describe('the cache', () => {
  const place = (digest: string) =>
    ({
      layout: 'referrer',
      repository: { registry: 'r', repository: 'x' },
      descriptor: { mediaType: '', digest, size: 1 },
    }) as const
  const key = entryKey({ fingerprint: 'f', digest: 'd', place: place('a') })

  test('an entry is found again, and by nothing else', async () => {
    const entries = openEntries(memoryFiles(), 'cache')
    await entries.write(key, [sbom(parseComponent('["a"]'))])
    assert.match((await entries.read(key)) ?? '', /\["a"\]/)
    for (const other of [
      { fingerprint: 'g', digest: 'd', place: place('a') },
      { fingerprint: 'f', digest: 'e', place: place('a') },
      { fingerprint: 'f', digest: 'd', place: place('b') },
    ])
      assert.equal(await entries.read(entryKey(other)), undefined)
    const layer = { mediaType: '', digest: 'l', size: 1 }
    const tagged = {
      layout: 'tag',
      repository: { registry: 'r', repository: 'x' },
      tag: 't',
      manifest: 'm',
      layer,
    } as const
    const keys = [tagged, { ...tagged, manifest: 'n' }, { ...tagged, layer: { ...layer, digest: 'k' } }].map((each) =>
      entryKey({ fingerprint: 'f', digest: 'd', place: each }),
    )
    assert.equal(new Set(keys).size, 3, 'what signs a layer stands in the manifest')
  })

  test('damaged entries are not there; others are dropped', async () => {
    const files = memoryFiles()
    const entries = openEntries(files, 'cache')
    await entries.write(key, [sbom()])
    await entries.write(`ff${key.slice(2)}`, [sbom()])
    await entries.keepOnly(new Set([key]))
    assert.equal(files.content.size, 1)
    const [path = ''] = files.content.keys()
    files.content.set(path, (files.content.get(path) ?? new Uint8Array()).subarray(0, 80))
    assert.equal(await entries.read(key), undefined)
  })

  test('the entry of one image does not stand for another', async () => {
    const files = memoryFiles()
    const entries = openEntries(files, 'cache')
    const other = entryKey({ fingerprint: 'f', digest: 'e', place: place('a') })
    await entries.write(key, [sbom()])
    await entries.write(other, [sbom(parseComponent('["log4j-core"]'))])
    const pathOf = (of: string): string => [...files.content.keys()].find((path) => path.endsWith(of)) ?? ''
    files.content.set(pathOf(other), files.content.get(pathOf(key)) ?? new Uint8Array())
    assert.equal(await entries.read(other), undefined)
    assert.notEqual(await entries.read(key), undefined)
  })

  test('an inventory is whole, missing or broken', async () => {
    const files = memoryFiles()
    await assert.rejects(loadInventory(files, 'cache'), { code: 'INVENTORY_MISSING' })
    const inventory = {
      takenAt: 1,
      sources: ['x'],
      trust: { fingerprint: 'f', sboms: [], vex: [] },
      images: [],
      notes: [],
    }
    await storeInventory(files, 'cache', inventory)
    assert.deepEqual(await loadInventory(files, 'cache'), inventory)
    const [path = ''] = files.content.keys()
    for (const bytes of [new Uint8Array(), new TextEncoder().encode(JSON.stringify(inventory))]) {
      files.content.set(path, bytes)
      await assert.rejects(loadInventory(files, 'cache'), { code: 'INVENTORY_STORED' })
    }
  })
})
