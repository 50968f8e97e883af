import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CodedError } from '#errors'
import { loadVulnerabilities, loadVulnerability } from './load-vulnerabilities.js'
import { readOsvFolder, type FolderEntry, type FolderFiles } from './osv-folder.js'

interface Given {
  readonly id: string
  readonly [field: string]: unknown
}

function folderOf(records: readonly Given[], more: Readonly<Record<string, string>> = {}): FolderFiles {
  const files = new Map<string, string>([
    ...records.map((each, at): [string, string] => [
      `osv/${String(at)}.json`,
      JSON.stringify({ modified: '2024-01-01T00:00:00Z', ...each }),
    ]),
    ...Object.entries(more),
  ])
  return {
    read: async (path) => {
      const text = files.get(path)
      if (text === undefined) throw new CodedError('CLI_FILE_MISSING', `open ${path}`)
      return new TextEncoder().encode(text)
    },
    list: async (folder) =>
      [...files.keys()]
        .filter((path) => path.startsWith(`${folder}/`) && !path.slice(folder.length + 1).includes('/'))
        .map((path): FolderEntry => ({ name: path.slice(folder.length + 1), kind: 'file' })),
  }
}

async function idsFor(name: string, ...records: readonly Given[]): Promise<readonly string[]> {
  const { vulnerabilities } = await loadVulnerability(folderOf(records), 'osv', name)
  return vulnerabilities.flatMap((each) => each.records.map(({ id }) => id)).sort()
}

describe('records about one vulnerability', () => {
  test('by id, by alias, and on through aliases of aliases, both ways', async () => {
    const records = [
      { id: 'GHSA-1', aliases: ['CVE-1'] },
      { id: 'CVE-1' },
      { id: 'PYSEC-1', aliases: ['GHSA-1'] },
      { id: 'GHSA-2', aliases: ['CVE-2'] },
    ]
    for (const name of ['CVE-1', 'GHSA-1', 'PYSEC-1'])
      assert.deepEqual(await idsFor(name, ...records), ['CVE-1', 'GHSA-1', 'PYSEC-1'], name)
  })

  test('those that pass it on, and those that pass these on, but no other way round', async () => {
    const records = [
      { id: 'CVE-1' },
      { id: 'DEBIAN-CVE-1', upstream: ['CVE-1'] },
      { id: 'DSA-1', upstream: ['CVE-1', 'CVE-2'] },
      { id: 'ELA-1', upstream: ['DSA-1'] },
      { id: 'CVE-2' },
    ]
    assert.deepEqual(await idsFor('CVE-1', ...records), ['CVE-1', 'DEBIAN-CVE-1', 'DSA-1', 'ELA-1'])
    assert.deepEqual(await idsFor('DSA-1', ...records), ['DSA-1', 'ELA-1'])
    const { vulnerabilities } = await loadVulnerability(folderOf(records), 'osv', 'CVE-1')
    assert.deepEqual([...(vulnerabilities[0]?.names ?? [])], ['CVE-1'])
  })

  test('circles end', async () => {
    const records = [
      { id: 'A', aliases: ['B'], upstream: ['C'] },
      { id: 'B', aliases: ['A'], upstream: ['A'] },
      { id: 'C', upstream: ['A', 'C'] },
    ]
    assert.deepEqual(await idsFor('A', ...records), ['A', 'B', 'C'])
  })

  test('what was taken back is left out and told; what is only related is told', async () => {
    const files = folderOf([
      { id: 'GHSA-1', aliases: ['CVE-1'], withdrawn: '2024-02-01T00:00:00Z' },
      { id: 'CVE-1' },
      { id: 'CVE-9', related: ['CVE-1'] },
    ])
    const loaded = await loadVulnerability(files, 'osv', 'CVE-1')
    assert.deepEqual(
      loaded.vulnerabilities[0]?.records.map(({ id }) => id),
      ['CVE-1'],
    )
    assert.deepEqual([loaded.withdrawn, loaded.related, loaded.read], [['GHSA-1'], ['CVE-9'], 3])
  })

  test('of two records with one id the later one counts', async () => {
    const files = folderOf([
      { id: 'CVE-1', summary: 'old', modified: '2023-01-01T00:00:00Z' },
      { id: 'CVE-1', summary: 'new', modified: '2024-01-01T00:00:00Z' },
    ])
    const { vulnerabilities } = await loadVulnerability(files, 'osv', 'CVE-1')
    assert.deepEqual(
      vulnerabilities[0]?.records.map(({ summary }) => summary),
      ['new'],
    )
  })

  for (const [name, records] of [
    ['nothing', []],
    ['other vulnerabilities', [{ id: 'CVE-2' }]],
    ['only one that was taken back', [{ id: 'CVE-1', withdrawn: '2024-02-01T00:00:00Z' }]],
    ['only a related one', [{ id: 'CVE-2', related: ['CVE-1'] }]],
  ] as const) {
    test(`no answer from ${name}`, async () => {
      await assert.rejects(loadVulnerability(folderOf(records), 'osv', 'CVE-1'), { code: 'INVENTORY_NO_RECORD' })
    })
  }

  test('names of objects are only names', async () => {
    assert.deepEqual(await idsFor('__proto__', { id: 'constructor', aliases: ['__proto__'] }), ['constructor'])
  })
})

describe('every vulnerability of a folder', () => {
  test('records of one vulnerability come together, in whatever order they are read', async () => {
    const files = folderOf([
      { id: 'GHSA-1', aliases: ['CVE-1'] },
      { id: 'PYSEC-1', aliases: ['OTHER-1'] },
      { id: 'GHSA-2', aliases: ['CVE-2'] },
      { id: 'OTHER-1', aliases: ['CVE-1'] },
    ])
    const { vulnerabilities } = await loadVulnerabilities(files, 'osv', () => true)
    assert.deepEqual(
      vulnerabilities.map(({ id, records }) => [id, records.length]),
      [
        ['CVE-1', 3],
        ['CVE-2', 1],
      ],
    )
  })

  test('of no record at all nothing is said', async () => {
    await assert.rejects(
      loadVulnerabilities(folderOf([]), 'osv', () => true),
      { code: 'INVENTORY_NO_RECORD' },
    )
    await assert.rejects(loadVulnerability(folderOf([]), 'osv', 'CVE-1'), { code: 'INVENTORY_NO_RECORD' })
  })

  test('only what is wanted, and nothing that was taken back', async () => {
    const files = folderOf([{ id: 'A' }, { id: 'B' }, { id: 'C', withdrawn: '2024-01-01T00:00:00Z' }])
    const loaded = await loadVulnerabilities(files, 'osv', ({ id }) => id !== 'B')
    assert.deepEqual([loaded.vulnerabilities.map(({ id }) => id), loaded.read], [['A'], 3])
  })
})

describe('a folder', () => {
  async function broken(files: FolderFiles): Promise<string[]> {
    const found: string[] = []
    for await (const each of readOsvFolder(files, 'osv')) if ('code' in each) found.push(`${each.path} ${each.code}`)
    return found
  }

  test('what cannot be read is told, and does not end it', async () => {
    const files = folderOf([{ id: 'CVE-1' }], {
      'osv/half.json': '{"id":"CVE-1","modif',
      'osv/empty.json': '',
      'osv/list.json': '[]',
      'osv/tomorrow.json': '{"schema_version":"2.0.0","id":"X","modified":"2024-01-01T00:00:00Z"}',
      'osv/README.md': 'not a record',
      'osv/.hidden.json': '{',
    })
    assert.deepEqual((await broken(files)).sort(), [
      'osv/empty.json OSV_MALFORMED',
      'osv/half.json OSV_MALFORMED',
      'osv/list.json OSV_MALFORMED',
      'osv/tomorrow.json OSV_VERSION',
    ])
    assert.equal((await loadVulnerability(files, 'osv', 'CVE-1')).broken.length, 4)
    assert.equal((await loadVulnerabilities(files, 'osv', () => true)).broken.length, 4)
  })

  test('links to files are read, links to folders are not, and links to nowhere are broken', async () => {
    const listed: Readonly<Record<string, readonly FolderEntry[]>> = {
      osv: [
        { name: 'a.json', kind: 'file', link: true },
        { name: 'loop', kind: 'folder', link: true },
        { name: 'gone.json', kind: 'other', link: true },
        { name: 'deeper', kind: 'folder' },
      ],
      'osv/deeper': [{ name: 'b.json', kind: 'file' }],
    }
    const { read } = folderOf([], {
      'osv/a.json': '{"id":"A","modified":"2024-01-01T00:00:00Z"}',
      'osv/deeper/b.json': '{',
    })
    const files: FolderFiles = { read, list: async (folder) => listed[folder] ?? [] }
    assert.deepEqual((await broken(files)).sort(), [
      'osv/deeper/b.json OSV_MALFORMED',
      'osv/gone.json CLI_FILE_MISSING',
      'osv/loop OSV_MALFORMED',
    ])
  })

  test('folders without end are cut off, and that is told', async () => {
    const files: FolderFiles = { read: folderOf([]).read, list: async () => [{ name: 'again', kind: 'folder' }] }
    assert.equal((await broken(files)).length, 1)
  })
})
