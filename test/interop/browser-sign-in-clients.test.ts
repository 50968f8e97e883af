import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import { startUp } from '../e2e/up-process.js'
import type { UpProcess } from '../e2e/up-process.js'
import { findChromium, withBrowser } from './chromium.js'

const chromium = findChromium()
const skip = chromium === undefined ? 'this machine has no Chromium' : false
const COUNTERSIGN = join(import.meta.dirname, '..', '..', '..', 'bin', 'countersign')
const INDEX = 'application/vnd.oci.image.index.v1+json'

interface Desk {
  readonly up: UpProcess
  readonly image: string
  readonly env: NodeJS.ProcessEnv
  /** The address that a program asked the desktop to open. */
  readonly opened: () => Promise<string>
}

/** A running Sigstore, an image, and a desktop whose `xdg-open` notes the address instead of opening a window. */
async function desk(t: TestContext): Promise<Desk> {
  const place = await mkdtemp(join(tmpdir(), 'desk-'))
  t.after(() => rm(place, { recursive: true, force: true, maxRetries: 5 }))
  const up = await startUp(['--data', join(place, 'data'), '--port', '0'])
  t.after(() => up.stop())
  const noted = join(place, 'opened')
  await writeFile(
    join(place, 'xdg-open'),
    `#!/bin/sh\nprintf '%s' "$1" > '${noted}.new' && mv '${noted}.new' '${noted}'\n`,
  )
  await chmod(join(place, 'xdg-open'), 0o755)
  const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [] })
  const digest = `sha256:${encodeHex(sha256(encodeUtf8(body)))}`
  const pushed = await fetch(`${up.url}/v2/desk/app/manifests/${digest}`, {
    method: 'PUT',
    headers: { 'content-type': INDEX },
    body,
  })
  assert.equal(pushed.status, 201)
  const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env
  const env = {
    ...inherited,
    PATH: `${place}${delimiter}${process.env['PATH'] ?? ''}`,
    TUF_ROOT: join(place, 'tuf'),
    HOME: place,
  }
  const opened = async (): Promise<string> => {
    for (;;) {
      const address = await readFile(noted, 'utf8').catch(() => '')
      if (address !== '') return address
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  return { up, image: `${up.registry}/desk/app@${digest}`, env, opened }
}

async function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stderr }
}

/** With a terminal of its own (script(1)): without one, countersign does not expect anybody to sit before a browser. */
function runAtTerminal(words: readonly string[], env: NodeJS.ProcessEnv): ReturnType<typeof run> {
  return run('script', ['--quiet', '--return', '--command', words.join(' '), '/dev/null'], env)
}

for (const program of ['cosign3', COUNTERSIGN]) {
  const name = program === COUNTERSIGN ? 'countersign' : program
  test(
    `${name} sign opens a browser, the person signs in, and the image is signed`,
    { skip, timeout: 60_000 },
    async (t) => {
      const { up, image, env, opened } = await desk(t)
      const initialized = await run(program, ['initialize', '--mirror', up.tuf.mirror, '--root', up.tuf.root], env)
      assert.equal(initialized.code, 0, initialized.stderr)
      const signing = runAtTerminal([program, 'sign', '--yes', '--fulcio-auth-flow', 'normal', image], env)
      await withBrowser(chromium ?? '', async (page) => {
        const failed = signing.then(({ code, stderr }) => assert.fail(`it ended with ${String(code)}: ${stderr}`))
        await page.goto(await Promise.race([opened(), failed]))
        failed.catch(() => undefined)
        await page.click('#email')
        await page.waitFor('document.activeElement.id === "email"')
        await page.type('ann@example.com')
        await page.click('button[value=yes]')
        await page.waitFor(`!location.href.startsWith(${JSON.stringify(up.url)})`)
        const signed = await signing
        assert.equal(signed.code, 0, signed.stderr)
      })
      const identity = ['--certificate-identity', 'ann@example.com', '--certificate-oidc-issuer', up.issuer]
      const verified = await run(COUNTERSIGN, ['verify', ...identity, image], env)
      assert.equal(verified.code, 0, verified.stderr)
    },
  )
}
