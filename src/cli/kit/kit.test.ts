import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import { fakeHost, type FakeHostOptions } from '#testing/cli/fake-host'
import { isCodedError } from '#errors'
import { type Command, defineCommand } from './command.js'
import { completionScript, SHELLS } from './completion.js'
import { CliError } from './errors.js'
import { commandHelp } from './help.js'
import { locateCommand } from './locate.js'
import { manualPage } from './manual.js'
import { parseArguments } from './parse.js'
import { runCommand } from './run.js'
import { nearest } from './suggest.js'
import { readDuration, showDuration, splitCsv } from './values.js'

function probe(overrides: Partial<Command> = {}): {
  readonly command: Command
  readonly seen: Record<string, unknown>[]
} {
  const seen: Record<string, unknown>[] = []
  const command = defineCommand({
    name: 'probe',
    summary: 'Look at what arrives',
    args: { usage: 'THING...', max: Infinity },
    flags: {
      key: { kind: 'path', help: 'a key' },
      certificate: { kind: 'path', aliases: ['cert'], help: 'a certificate' },
      annotations: { kind: 'list', short: 'a', help: 'pairs' },
      policy: { kind: 'repeated', help: 'policies' },
      yes: { kind: 'boolean', short: 'y', help: 'do not ask' },
      recursive: { kind: 'boolean', short: 'r', help: 'all of it' },
      upload: { kind: 'boolean', default: true, help: 'whether to upload' },
      workers: { kind: 'number', default: 10, help: 'how many' },
      output: { kind: 'string', short: 'o', choices: ['json', 'text'], default: 'json', help: 'what to print' },
      password: { kind: 'string', secret: true, help: 'a password' },
      old: { kind: 'string', deprecated: 'use --new', help: 'old' },
      'fulcio-url': { kind: 'url', help: 'where' },
    },
    examples: [{ does: 'look', run: 'probe x' }],
    async run({ args, flags, changed }) {
      seen.push({ args, ...flags, changed: [...changed] })
      return undefined
    },
  })
  return { command: { ...command, ...overrides }, seen }
}

async function run(
  words: readonly string[],
  options: FakeHostOptions = {},
): Promise<{ code: number; seen: Record<string, unknown>; stderr: string; stdout: string }> {
  const { command, seen } = probe()
  const host = fakeHost(options)
  const code = await runCommand(command, words, host)
  return { code, seen: seen[0] ?? {}, stderr: host.stderr(), stdout: host.stdout() }
}

describe('flags as pflag reads them', () => {
  const accepted: readonly { words: readonly string[]; field: string; value: unknown }[] = [
    { words: ['--key=k'], field: 'key', value: 'k' },
    { words: ['--key', 'k'], field: 'key', value: 'k' },
    { words: ['--key', '-'], field: 'key', value: '-' },
    { words: ['--key', '--yes'], field: 'key', value: '--yes' },
    { words: ['--key='], field: 'key', value: undefined },
    { words: ['--key=a=b'], field: 'key', value: 'a=b' },
    { words: ['--key', 'one', '--key', 'two'], field: 'key', value: 'two' },
    { words: ['--cert', 'c'], field: 'certificate', value: 'c' },
    { words: ['--yes'], field: 'yes', value: true },
    { words: ['-y'], field: 'yes', value: true },
    { words: ['-yr'], field: 'recursive', value: true },
    { words: ['-y=false'], field: 'yes', value: false },
    { words: ['--upload=false'], field: 'upload', value: false },
    { words: ['--upload=0'], field: 'upload', value: false },
    { words: ['--upload', 'false'], field: 'upload', value: true },
    { words: ['--upload', 'false'], field: 'args', value: ['false'] },
    { words: [], field: 'upload', value: true },
    { words: ['-a', 'k=v', '-a', 'l=w'], field: 'annotations', value: ['k=v', 'l=w'] },
    { words: ['-a', 'k=v,l=w'], field: 'annotations', value: ['k=v', 'l=w'] },
    { words: ['-ak=v'], field: 'annotations', value: ['k=v'] },
    { words: ['-a=k=v'], field: 'annotations', value: ['k=v'] },
    { words: ['-a', '"k=a,b",l=w'], field: 'annotations', value: ['k=a,b', 'l=w'] },
    { words: ['-yak=v'], field: 'annotations', value: ['k=v'] },
    { words: ['--policy', 'a,b'], field: 'policy', value: ['a,b'] },
    { words: ['--workers', '3'], field: 'workers', value: 3 },
    { words: ['-otext'], field: 'output', value: 'text' },
    { words: ['-t', '1h2m3.5s'], field: 'timeout', value: 3_723_500 },
    { words: ['one', '--yes', 'two'], field: 'args', value: ['one', 'two'] },
    { words: ['--', '--yes', '-x'], field: 'args', value: ['--yes', '-x'] },
    { words: ['-'], field: 'args', value: ['-'] },
    { words: ['-key', 'k'], field: 'key', value: 'k' },
    { words: ['--o', 'text'], field: 'output', value: 'text' },
  ]
  for (const { words, field, value } of accepted) {
    test(`${words.join(' ') || '(nothing)'} → ${field}`, async () => {
      const { code, seen, stderr } = await run(words)
      assert.equal(code, 0, stderr)
      assert.deepEqual(seen[field], value)
    })
  }

  const refused: readonly { words: readonly string[]; code: string }[] = [
    { words: ['--nope'], code: 'USAGE_UNKNOWN_FLAG' },
    { words: ['-x'], code: 'USAGE_UNKNOWN_FLAG' },
    { words: ['-yx'], code: 'USAGE_UNKNOWN_FLAG' },
    { words: ['--=v'], code: 'USAGE_UNKNOWN_FLAG' },
    { words: ['---key'], code: 'USAGE_UNKNOWN_FLAG' },
    { words: ['--key'], code: 'USAGE_FLAG_ARGUMENT' },
    { words: ['-a'], code: 'USAGE_FLAG_ARGUMENT' },
    { words: ['--yes=maybe'], code: 'USAGE_FLAG_VALUE' },
    { words: ['--yes='], code: 'USAGE_FLAG_VALUE' },
    { words: ['--workers=ten'], code: 'USAGE_FLAG_VALUE' },
    { words: ['--workers=1.5'], code: 'USAGE_FLAG_VALUE' },
    { words: ['--timeout=10'], code: 'USAGE_FLAG_VALUE' },
    { words: ['--timeout=s'], code: 'USAGE_FLAG_VALUE' },
    { words: ['-o', 'yaml'], code: 'USAGE_FLAG_VALUE' },
    { words: ['-a', 'k="v'], code: 'USAGE_FLAG_VALUE' },
  ]
  for (const { words, code } of refused) {
    test(`refuses ${words.join(' ')}`, () => {
      assert.throws(() => parseArguments(probe().command, words), { code })
    })
  }

  test('any words give arguments or a coded error', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('--key', '-a', '--', '-', '-yr', '--o', '-key', '--upload=', '--timeout'),
    )
    fc.assert(
      fc.property(fc.array(word), (words) => {
        try {
          parseArguments(probe().command, words)
        } catch (error) {
          assert.ok(isCodedError(error))
        }
      }),
    )
  })
})

describe('flags from variables', () => {
  test('COSIGN_<FLAG> and COUNTERSIGN_<FLAG> count, ours first, the command line before both', async () => {
    const environment = { COSIGN_YES: 'true', COSIGN_FULCIO_URL: 'a', COUNTERSIGN_FULCIO_URL: 'b', COSIGN_KEY: 'k' }
    const { seen } = await run(['--key', 'mine'], { environment })
    assert.deepEqual([seen['yes'], seen['fulcio-url'], seen['key']], [true, 'b', 'mine'])
    assert.deepEqual(seen['changed'], ['key', 'yes', 'fulcio-url'])
  })
  test('an empty variable is no variable', async () => {
    assert.equal((await run([], { environment: { COSIGN_YES: '' } })).seen['yes'], false)
  })
  test('cosign’s exclusions hold for COSIGN_ only', async () => {
    const { command, seen } = probe({ withoutCosignEnvironment: true })
    await runCommand(command, [], fakeHost({ environment: { COSIGN_YES: 'true', COUNTERSIGN_RECURSIVE: 'true' } }))
    assert.deepEqual([seen[0]?.['yes'], seen[0]?.['recursive']], [false, true])
  })
  test('COSIGN_HELP does not turn every command into its help', async () => {
    assert.equal((await run([], { environment: { COSIGN_HELP: 'true' } })).stdout, '')
  })
  test('a variable that does not fit is refused by its name', async () => {
    const { code, stderr } = await run([], { environment: { COSIGN_WORKERS: 'many' } })
    assert.equal(code, 1)
    assert.match(stderr, /COSIGN_WORKERS/)
  })
})

describe('warnings', () => {
  test('a deprecated flag works and says so', async () => {
    const { seen, stderr } = await run(['--old=x'])
    assert.equal(seen['old'], 'x')
    assert.equal(stderr, 'Flag --old has been deprecated, use --new\n')
  })
  test('-key is taken as --key with a warning', async () => {
    assert.match((await run(['-key=k'])).stderr, /^WARNING: the -key flag is deprecated.*--key/)
  })
  test('a misspelt flag gets a suggestion', async () => {
    assert.match((await run(['--anotations=x'])).stderr, /did you mean --annotations\?/)
  })
})

describe('errors', () => {
  const failing = (error: Error): Command => probe({ run: () => Promise.reject(error) }).command
  const declined = new CliError('CLI_INPUT', 'it is broken', { expected: 'whole', found: 'broken', hint: 'mend it' })

  test('a sentence, then expected, found and hint', async () => {
    const host = fakeHost()
    assert.equal(await runCommand(failing(declined), [], host), 1)
    assert.equal(host.stderr(), 'Error: it is broken\n  expected: whole\n  found:    broken\n  hint:     mend it\n')
    assert.equal(host.stdout(), '')
  })
  test('--output json, where it is said, gives the error as data', async () => {
    const host = fakeHost()
    await runCommand(failing(declined), ['--output', 'json'], host)
    const { error } = JSON.parse(host.stdout()) as { error: Record<string, unknown> }
    assert.deepEqual([error['code'], error['exitCode'], error['hint']], ['CLI_INPUT', 1, 'mend it'])
  })
  test('cosign’s exit codes', async () => {
    for (const [code, exit] of [
      ['VERDICT_NO_SIGNATURE', 10],
      ['VERDICT_TAG_NOT_FOUND', 11],
      ['VERDICT_NO_MATCH', 12],
      ['VERDICT_NO_CERTIFICATE', 13],
      ['CLI_FILE', 1],
    ] as const) {
      const error = Object.assign(new CliError('CLI_FILE', 'x'), { code })
      assert.equal(await runCommand(failing(error), [], fakeHost()), exit)
    }
  })
  test('a secret that does not fit is not repeated', async () => {
    const { command } = probe()
    const flags = { ...command.flags, pin: { kind: 'string', secret: true, choices: ['a'], help: 'x' } } as const
    const host = fakeHost()
    await runCommand({ ...command, flags }, ['--pin', 'hunter2'], host)
    assert.doesNotMatch(host.stderr(), /hunter2/)
  })
  test('what others wrote cannot steer the terminal', async () => {
    const host = fakeHost()
    const error = new CliError('CLI_INPUT', 'a\u001b[2Jb', { found: 'c\u009b31md\r', hint: 'e\u202ef' })
    await runCommand(failing(error), [], host)
    assert.doesNotMatch(host.stderr(), /[\u001b\u009b\r\u202e]/)
  })
  test('--timeout ends a command', async () => {
    const alive = setInterval(() => undefined, 1000) // the time limit does not keep a process alive
    after(() => clearInterval(alive))
    const hanging = probe({ run: () => new Promise(() => undefined) }).command
    const host = fakeHost()
    assert.equal(await runCommand(hanging, ['--timeout', '1ms'], host), 1)
    const waiting = { ...host, waitingFor: () => ['GET https://a.example/', 'GET https://b.example/'] }
    assert.equal(await runCommand(hanging, ['--timeout', '1ms'], waiting), 1)
    assert.match(host.stderr(), /no answer yet to GET https:\/\/a\.example\/, and 1 more/)
    assert.match(host.stderr(), /context deadline exceeded/)
  })
  test('what takes as long as it is large is ended by a --timeout that was given, and by none that was not', async () => {
    const host = fakeHost()
    const unhurried = probe({
      run: async ({ signal }) => (signal === host.interrupted ? 0 : 7),
    }).command
    const spec = { ...unhurried, unhurried: true } as const
    assert.equal(await runCommand(spec, [], host), 0)
    assert.equal(await runCommand(spec, ['--timeout', '10m'], host), 7)
    assert.equal(await runCommand(unhurried, [], host), 7)
  })
  test('--timeout may be longer than a timer can be set to', async () => {
    for (const long of ['1000h', '100000h']) {
      const { command } = probe({ run: () => new Promise((resolve) => setTimeout(resolve, 20, undefined)) })
      const host = fakeHost()
      assert.equal(await runCommand(command, ['--timeout', long], host), 0, host.stderr())
    }
  })
  test('an interrupt reaches the signal of a command that is timed', async () => {
    for (const before of [true, false]) {
      const interruption = new AbortController()
      if (before) interruption.abort('now')
      const { command } = probe({
        run: async ({ signal }) => {
          interruption.abort('now')
          assert.deepEqual([signal.aborted, signal.reason], [true, 'now'])
          return undefined
        },
      })
      const host = fakeHost({ interrupted: interruption.signal })
      assert.equal(await runCommand(command, ['--timeout', '1h'], host), 0, host.stderr())
    }
  })
  test('the wrong number of arguments', async () => {
    const { command } = probe({ args: { usage: 'IMAGE', min: 1, max: 1 } })
    for (const words of [[], ['a', 'b']]) {
      const host = fakeHost()
      assert.equal(await runCommand(command, words, host), 1)
      assert.match(host.stderr(), /takes 1 argument,/)
    }
  })
})

describe('--output-file', () => {
  test('takes what the command prints, also when it fails later', async () => {
    const command = probe({
      run: async ({ host }) => {
        host.terminal.write('half\n')
        host.terminal.note('a note')
        throw new CliError('CLI_INPUT', 'stop')
      },
    }).command
    const host = fakeHost()
    assert.equal(await runCommand(command, ['--output-file', 'out'], host), 1)
    assert.equal(new TextDecoder().decode(host.content('out')), 'half\n')
    assert.equal(host.stdout(), '')
    assert.match(host.stderr(), /a note/)
  })
})

describe('finding the command', () => {
  const all = ['sign', 'sign-blob', 'trusted-root create', 'version', 'inventory', 'inventory find']
  const names = { has: (name: string) => all.includes(name), all: () => all }
  const found: readonly { words: readonly string[]; name: string; rest: readonly string[] }[] = [
    { words: ['sign', 'x'], name: 'sign', rest: ['x'] },
    { words: ['-d', '--timeout', '5s', 'sign', 'x'], name: 'sign', rest: ['-d', '--timeout', '5s', 'x'] },
    { words: ['trusted-root', 'create', '--out', 'f'], name: 'trusted-root create', rest: ['--out', 'f'] },
    { words: ['inventory', '--cluster'], name: 'inventory', rest: ['--cluster'] },
    { words: ['inventory', 'find', 'x'], name: 'inventory find', rest: ['x'] },
    { words: ['inventory', 'ghcr.io/a/find'], name: 'inventory', rest: ['ghcr.io/a/find'] },
    { words: ['help', 'inventory', 'find'], name: 'inventory find', rest: ['--help'] },
    { words: ['help', 'sign'], name: 'sign', rest: ['--help'] },
    { words: ['help', 'trusted-root', 'create'], name: 'trusted-root create', rest: ['--help'] },
    { words: ['--version'], name: 'version', rest: [] },
  ]
  for (const { words, name, rest } of found) {
    test(words.join(' '), () => {
      assert.deepEqual(locateCommand(words, names), { kind: 'command', name, words: rest })
    })
  }
  for (const words of [['sing'], ['sign blob'], ['trusted-root', 'creat'], ['../sign'], ['constructor']]) {
    test(`${words.join(' ')} is unknown`, () => {
      assert.throws(() => locateCommand(words, names), { code: 'USAGE_UNKNOWN_COMMAND' })
    })
  }
  test('a group alone, and nothing at all, list commands', () => {
    assert.deepEqual(locateCommand(['trusted-root'], names), { kind: 'overview', group: 'trusted-root', full: false })
    assert.equal(locateCommand([], names).kind, 'overview')
  })
})

describe('help, manual and completion come from the same table', () => {
  const { command } = probe()
  test('the help hides what is deprecated and shows defaults', () => {
    const help = commandHelp(command, { columns: 80, bold: (text) => text })
    assert.doesNotMatch(help, /--old/)
    assert.match(help, /--workers N .*\(default 10\)/)
    assert.ok(help.split('\n').every((line) => line.length <= 80))
  })
  test('--help prints it and runs nothing', async () => {
    const { code, seen, stdout } = await run(['--help', 'x'])
    assert.deepEqual([code, seen], [0, {}])
    assert.match(stdout, /^Look at what arrives\.\n/)
  })
  test('the manual has every flag with its variables', () => {
    const page = manualPage(command)
    for (const text of ['`--old TEXT`', '`COSIGN_KEY`', '`COUNTERSIGN_KEY`', '`--cert`'])
      assert.ok(page.includes(text), text)
  })
  for (const shell of SHELLS) {
    test(`${shell} completion names the command and its flags`, () => {
      const script = completionScript(shell, [command, { ...command, name: 'group member' }])
      for (const text of ['probe', 'annotations', 'member']) assert.ok(script.includes(text), text)
      assert.ok(!script.includes('--old'))
    })
  }
})

describe('small readers', () => {
  test('durations', () => {
    assert.deepEqual(
      ['3m0s', '1.5h', '300ms', '0', '1h1m1s'].map(readDuration),
      [180_000, 5_400_000, 300, 0, 3_661_000],
    )
    for (const text of ['', '5', 's', '1x', '1m ', '--1s']) assert.equal(readDuration(text), undefined)
    assert.equal(showDuration(180_000), '3m0s')
  })
  test('CSV', () => {
    assert.deepEqual(splitCsv('a,"b ""c"", d",'), ['a', 'b "c", d', ''])
    for (const text of ['"a', 'a"b', '"a"b']) assert.equal(splitCsv(text), undefined)
  })
  test('did you mean', () => {
    assert.equal(nearest('verfiy', ['verify', 'version']), 'verify')
    assert.equal(nearest('xyz', ['verify', 'version']), undefined)
  })
})
