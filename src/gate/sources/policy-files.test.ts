import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fakeTimers } from '#testing/fake-timers'
import { Documents } from '../snapshot/documents.js'
import { PolicyState } from '../snapshot/policy-state.js'
import type { Snapshot } from '../snapshot/snapshot.js'
import { TrustKeeper } from '../snapshot/trust-keeper.js'
import { PolicyFiles } from './policy-files.js'

const policy = (name: string, glob = '**'): string => `
apiVersion: policy.sigstore.dev/v1beta1
kind: ClusterImagePolicy
metadata: { name: ${name} }
spec: { images: [{ glob: "${glob}" }], authorities: [{ static: { action: pass } }] }
`
const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: config }\n'
const many = (...texts: readonly string[]): string => texts.join('---\n')

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

interface World {
  readonly folder: string
  readonly documents: Documents
  readonly files: PolicyFiles
  readonly problems: unknown[]
  names(): readonly string[]
  write(name: string, text: string): Promise<void>
  /** Lets it look so many times. */
  looks(times: number): Promise<void>
}

async function open(t: TestContext, contents: Readonly<Record<string, string>>, more: readonly string[] = []) {
  const folder = await mkdtemp(join(tmpdir(), 'policy-files-'))
  t.after(() => rm(folder, { recursive: true }))
  const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text)
  for (const [name, text] of Object.entries(contents)) await write(name, text)
  const documents = new Documents()
  const time = fakeTimers()
  const problems: unknown[] = []
  let reading = 0
  const files = new PolicyFiles({
    paths: [...Object.keys(contents), ...more].map((name) => join(folder, name)),
    documents,
    read: async (path) => {
      reading++
      return await readFile(path, 'utf8').finally(() => reading--)
    },
    timers: time.timers,
    onProblem: (error) => problems.push(isCodedError(error) ? error.code : (error as { code?: string }).code),
  })
  t.after(() => {
    files.close()
  })
  const world: World = {
    folder,
    documents,
    files,
    problems,
    write,
    names: () => documents.all().map(({ kind, name }) => `${kind} ${name}`),
    looks: async (times) => {
      for (let each = 0; each < times; each++) {
        await time.advance(2000)
        do await time.advance(0)
        while (reading > 0)
        await time.advance(0)
      }
    },
  }
  return world
}

const started = async (
  t: TestContext,
  contents: Readonly<Record<string, string>>,
  more: readonly string[] = [],
): Promise<World> => {
  const world = await open(t, contents, more)
  await world.files.start()
  return world
}

describe('files that a gate does not start with', () => {
  const REFUSED: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ['broken YAML', { 'a.yaml': 'kind: [' }, 'POLICY_DOCUMENT'],
    ['broken YAML beside a policy', { 'a.yaml': policy('a'), 'b.yaml': 'kind: [' }, 'POLICY_DOCUMENT'],
    ['a broken document after a good one', { 'a.yaml': many(policy('a'), '{') }, 'POLICY_DOCUMENT'],
    ['no policy', { 'a.yaml': CONFIG_MAP }, 'POLICY_KIND'],
    ['an empty file beside a policy', { 'a.yaml': policy('a'), 'b.yaml': '' }, 'POLICY_DOCUMENT'],
    ['comments alone', { 'a.yaml': policy('a'), 'b.yaml': '# nothing\n---\n' }, 'POLICY_DOCUMENT'],
    ['what is no object', { 'a.yaml': many(policy('a'), '- x') }, 'POLICY_DOCUMENT'],
    ['a document of no kind', { 'a.yaml': many(policy('a'), 'spec: {}\nmetadata: { name: a }') }, 'POLICY_DOCUMENT'],
    [
      'a kind that is misspelt',
      { 'a.yaml': many(policy('a'), policy('b').replace('ImagePolicy', 'ImagesPolicy')) },
      'POLICY_KIND',
    ],
    [
      'a policy of another group',
      { 'a.yaml': many(policy('a'), policy('b').replace('policy.sigstore.dev', 'example.com')) },
      'POLICY_KIND',
    ],
    [
      'a policy without a group',
      { 'a.yaml': many(policy('a'), policy('b').replace('policy.sigstore.dev/', '')) },
      'POLICY_KIND',
    ],
    ['two of one name in one file', { 'a.yaml': many(policy('a'), policy('a', 'x')) }, 'POLICY_DOCUMENT'],
    ['two of one name in two files', { 'a.yaml': policy('a'), 'b.yaml': policy('a', 'x') }, 'POLICY_DOCUMENT'],
    [
      'two of one name in two versions',
      { 'a.yaml': many(policy('a'), policy('a').replace('v1beta1', 'v1alpha1')) },
      'POLICY_DOCUMENT',
    ],
  ]
  for (const [name, contents, code] of REFUSED) {
    test(name, async (t) => {
      const { files, names } = await open(t, contents)
      await assert.rejects(files.start(), { code })
      assert.deepEqual(names(), [])
    })
  }

  for (const [name, prepare, code] of [
    ['one that is not there', () => Promise.resolve(), 'ENOENT'],
    ['a directory', (path: string) => mkdir(path), 'EISDIR'],
    ['a link to nowhere', (path: string) => symlink('nowhere', path), 'ENOENT'],
    ['a link to itself', (path: string) => symlink('other', path), 'ELOOP'],
  ] as const) {
    test(name, async (t) => {
      const { files, folder, names } = await open(t, { 'a.yaml': policy('a') }, ['other'])
      await prepare(join(folder, 'other'))
      await assert.rejects(files.start(), { code })
      assert.deepEqual(names(), [])
    })
  }

  test('any text is taken in or refused with a code', async (t) => {
    const { documents } = await open(t, {})
    const { timers } = fakeTimers()
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.string().map((name) => policy(JSON.stringify(name))),
    )
    await fc.assert(
      fc.asyncProperty(text, async (given) => {
        const options = {
          paths: ['p'],
          documents,
          timers,
          read: () => Promise.resolve(given),
          onProblem: () => undefined,
        }
        const files = new PolicyFiles(options)
        await files.start().catch((error: unknown) => {
          if (!isCodedError(error)) throw error
        })
        files.close()
      }),
    )
  })
})

describe('files that are taken in', () => {
  test('several documents, lists, what policies refer to, exceptions and trust roots', async (t) => {
    const exception = 'apiVersion: kyverno.io/v2\nkind: PolicyException\nmetadata: { name: e, namespace: n }\n'
    const trustRoot = 'apiVersion: policy.sigstore.dev/v1alpha1\nkind: TrustRoot\nmetadata: { name: t }\n'
    const list = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [{ kind: 'Secret', metadata: { name: 's' } }],
    })
    const { names } = await started(t, {
      'a.yaml': many(policy('a'), CONFIG_MAP, exception),
      'b.yaml': many(trustRoot, list),
    })
    assert.deepEqual(
      new Set(names()),
      new Set(['ClusterImagePolicy a', 'ConfigMap config', 'PolicyException e', 'TrustRoot t', 'Secret s']),
    )
  })

  test('a mounted ConfigMap: the link to the folder moves, and what it leads to counts', async (t) => {
    const world = await open(t, {}, ['data/a.yaml'])
    const { folder, files, documents, looks, write } = world
    for (const version of ['one', 'two']) {
      await mkdir(join(folder, version))
      await write(`${version}/a.yaml`, policy(version))
    }
    await symlink('one', join(folder, 'data'))
    await files.start()
    assert.deepEqual(world.names(), ['ClusterImagePolicy one'])
    await symlink('two', join(folder, 'next'))
    await rename(join(folder, 'next'), join(folder, 'data'))
    await looks(2)
    assert.deepEqual(world.names(), ['ClusterImagePolicy two'])
    assert.equal(documents.all().length, 1)
  })
})

describe('files that change', () => {
  test('what is added counts, what is taken out does not, and what stays is not told of again', async (t) => {
    const { write, looks, names, documents } = await started(t, { 'a.yaml': many(policy('a'), policy('b')) })
    const told: string[] = []
    documents.onChange(({ name }, document) => told.push(`${document === undefined ? '-' : '+'}${name}`))
    await looks(3)
    assert.deepEqual(told, [])
    await write('a.yaml', many(policy('b'), policy('c')))
    await looks(2)
    assert.deepEqual(
      [names(), told],
      [
        ['ClusterImagePolicy b', 'ClusterImagePolicy c'],
        ['-a', '+c'],
      ],
    )
  })

  const GONE: readonly (readonly [string, string, (world: World) => Promise<unknown>])[] = [
    ['broken YAML', 'POLICY_DOCUMENT', ({ write }) => write('b.yaml', 'kind: [')],
    ['emptied', 'POLICY_DOCUMENT', ({ write }) => write('b.yaml', '')],
    ['a policy that is misspelt', 'POLICY_KIND', ({ write }) => write('b.yaml', policy('b').replace('Image', 'Im'))],
    ['a name that is there already', 'POLICY_DOCUMENT', ({ write }) => write('b.yaml', policy('a', 'x'))],
    ['deleted', 'ENOENT', ({ folder }) => rm(join(folder, 'b.yaml'))],
    [
      'a directory',
      'EISDIR',
      async ({ folder }) => {
        await rm(join(folder, 'b.yaml'))
        await mkdir(join(folder, 'b.yaml'))
      },
    ],
    [
      'a link to nowhere',
      'ENOENT',
      async ({ folder }) => {
        await symlink('nowhere', join(folder, 'link'))
        await rename(join(folder, 'link'), join(folder, 'b.yaml'))
      },
    ],
  ]
  for (const [name, code, change] of GONE) {
    test(`${name}: what was read stays, all of it, until it can be read again; it is told once`, async (t) => {
      const world = await started(t, { 'a.yaml': policy('a'), 'b.yaml': policy('b') })
      await change(world)
      await world.write('a.yaml', many(policy('a'), policy('c')))
      await world.looks(4)
      assert.deepEqual(world.names(), ['ClusterImagePolicy a', 'ClusterImagePolicy b'])
      assert.deepEqual(world.problems, [code])
      await rm(join(world.folder, 'b.yaml'), { recursive: true, force: true })
      await world.write('b.yaml', policy('b'))
      await world.looks(2)
      assert.deepEqual(
        new Set(world.names()),
        new Set(['ClusterImagePolicy a', 'ClusterImagePolicy b', 'ClusterImagePolicy c']),
      )
      await world.write('b.yaml', 'kind: [')
      await world.looks(2)
      assert.equal(world.problems.length, 2)
    })
  }

  test('a file that is just being written does not count by half', async (t) => {
    const { write, looks, names, problems } = await started(t, { 'a.yaml': many(policy('a'), policy('b')) })
    await write('a.yaml', policy('a'))
    await looks(1)
    assert.deepEqual(names(), ['ClusterImagePolicy a', 'ClusterImagePolicy b'])
    await write('a.yaml', many(policy('a'), policy('b'), policy('c')))
    await looks(1)
    assert.deepEqual(names(), ['ClusterImagePolicy a', 'ClusterImagePolicy b'])
    await looks(1)
    assert.deepEqual(names(), ['ClusterImagePolicy a', 'ClusterImagePolicy b', 'ClusterImagePolicy c'])
    assert.deepEqual(problems, [])
  })

  test('whoever says that they have changed is not kept waiting', async (t) => {
    const { write, names, files } = await started(t, { 'a.yaml': policy('a') })
    await write('a.yaml', policy('b'))
    await files.reload()
    assert.deepEqual(names(), ['ClusterImagePolicy b'])
  })

  test('of two readings the later one counts, however long the earlier one takes', async () => {
    const documents = new Documents()
    const answers: ((text: string) => void)[] = []
    const files = new PolicyFiles({
      paths: ['a.yaml'],
      documents,
      read: () => new Promise((resolve) => answers.push(resolve)),
      timers: fakeTimers().timers,
      onProblem: () => undefined,
    })
    const starting = files.start()
    await turn()
    answers[0]?.(policy('a'))
    await starting
    const both = [files.reload(), files.reload()]
    await turn()
    // If both are read at once, the first answer is the last to come.
    answers[2]?.(policy('new'))
    await turn()
    answers[1]?.(policy('old'))
    for (let each = 0; each < 10; each++) await turn()
    answers[2]?.(policy('new'))
    await Promise.all(both)
    files.close()
    assert.deepEqual(
      documents.all().map(({ name }) => name),
      ['new'],
    )
  })

  test('what is still being read when it is closed does not come in', async () => {
    const documents = new Documents()
    let answer: (text: string) => void = () => undefined
    const files = new PolicyFiles({
      paths: ['a.yaml'],
      documents,
      read: () => new Promise((resolve) => (answer = resolve)),
      timers: fakeTimers().timers,
      onProblem: () => undefined,
    })
    const starting = files.start()
    await turn()
    files.close()
    answer(policy('a'))
    await starting
    assert.deepEqual(documents.all(), [])
  })
})

test('a policy of the files that cannot be used keeps its last good form; a new one refuses', async (t) => {
  const { write, files, documents } = await started(t, { 'a.yaml': policy('good') })
  const { timers, clock } = fakeTimers()
  const refuse = (): Promise<never> => Promise.reject(new Error('this test allows no network'))
  let snapshot: Snapshot | undefined
  const state = new PolicyState({
    ...{ documents, timers, namespace: undefined, keys: undefined, exceptionsFrom: 'all' },
    trust: new TrustKeeper({ fetch: refuse, clock, installed: refuse }),
    ports: { remoteText: refuse, clock },
    onSnapshot: (next) => (snapshot = next),
    onProblem: () => undefined,
  })
  t.after(() => {
    state.close()
  })
  await state.start()
  const broken = (name: string): string => policy(name).replace('static: { action: pass }', 'static: { action: some }')
  await write('a.yaml', many(broken('good'), broken('bad')))
  await files.reload()
  await state.settle()
  assert.deepEqual(
    snapshot?.health.map(({ policy: { name }, condition }) => [name, condition]),
    [
      ['good', 'last good'],
      ['bad', 'refusing'],
    ],
  )
  assert.equal(snapshot.policies.get('sigstore')?.all.length, 2)
})
