/**
 * The demo: a private Sigstore on this machine, a container image signed without a key, verified against a pinned identity,
 * with a signed SBOM that is read back; and what must be refused is refused. Everything is real, nothing is left behind.
 *
 *   node scripts/demo.mjs            (or: make demo)
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

const root = dirname(import.meta.dirname)
const countersign = join(root, 'bin', 'countersign')
const folder = mkdtempSync(join(tmpdir(), 'countersign-demo-'))
const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env // costs every Node 20 process 75 ms, and nothing here needs it
const env = { ...inherited, TUF_ROOT: join(folder, 'client'), HOME: folder, DOCKER_CONFIG: folder }
const SIGNER = 'ann@example.com'

const paint = (process.stdout.isTTY || process.env.FORCE_COLOR) && !process.env.NO_COLOR
const style = (code) => (text) => (paint ? `\u001b[${code}m${text}\u001b[0m` : text)
const [bold, dim, green, red, cyan] = ['1', '2', '32', '31', '36'].map(style)

const SBOM = {
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  version: 1,
  metadata: { component: { type: 'container', name: 'demo/app' } },
  components: [
    { type: 'library', name: 'hello', version: '1.0.0', purl: 'pkg:generic/hello@1.0.0' },
    { type: 'library', name: 'world', version: '2.1.0', purl: 'pkg:generic/world@2.1.0' },
    { type: 'data', name: 'hello.txt', version: '1' },
  ],
}

let server
process.exitCode = 1
try {
  await demo()
  process.exitCode = 0
} catch (error) {
  console.error(`\n${red('The demo failed.')} ${error.message}`)
} finally {
  if (server !== undefined) await stopServer()
  rmSync(folder, { recursive: true, force: true })
}

async function demo() {
  const begun = performance.now()
  heading('A private Sigstore')
  const up = await startServer()
  say(`${up.url} has sign-in, Fulcio, a CT log, Rekor v1 and v2, a time-stamp authority, TUF and a registry`)
  await run('initialize', '--mirror', up.tuf.mirror, '--root', up.tuf.root)

  heading('A real image, not signed yet')
  const image = await pushImage(up, 'demo/app', 'Hello from a signed image.\n')
  say(`pushed ${image.reference} ${dim(`(${image.bytes} bytes in ${image.blobs} blobs and a manifest)`)}`)
  const pinned = ['--certificate-identity', SIGNER, '--certificate-oidc-issuer', up.issuer]
  await refused(10, 'nobody signed it', 'verify', ...pinned, image.reference)

  heading('Signed without a key')
  say(dim(`a person would sign in with the browser; a script asks for a token of ${SIGNER}`))
  const { stdout: token } = await run('token', '--data', up.directory, SIGNER)
  await run('sign', '--yes', '--identity-token', token.trim(), image.reference)

  heading('Verified against a pinned identity')
  const verified = await run('verify', ...pinned, image.reference)
  const [payload] = JSON.parse(verified.stdout)
  expect(payload.critical.image['docker-manifest-digest'] === image.digest, 'the signature is for another image')
  say(`signed by ${bold(payload.optional.Subject)}, says ${payload.optional.Issuer}`)

  heading('With a signed SBOM that can be read back')
  const sbom = join(folder, 'sbom.cdx.json')
  writeFileSync(sbom, JSON.stringify(SBOM, undefined, 2))
  const { stdout: second } = await run('token', '--data', up.directory, SIGNER)
  await run(
    'attest',
    '--yes',
    '--type',
    'cyclonedx',
    '--predicate',
    sbom,
    '--identity-token',
    second.trim(),
    image.reference,
  )
  const attested = await run('verify-attestation', '--type', 'cyclonedx', ...pinned, image.reference)
  // verify-attestation … | jq -r .payload | base64 -d | jq '.predicate.components'
  const statement = JSON.parse(Buffer.from(JSON.parse(attested.stdout.split('\n')[0]).payload, 'base64').toString())
  const components = statement.predicate.components.map((one) => `${one.name} ${one.version}`)
  expect(components.length === SBOM.components.length, 'the SBOM that came back is not the one that was signed')
  say(dim("verify-attestation … | jq -r .payload | base64 -d | jq '.predicate.components | length'"))
  say(`${bold(String(components.length))} components: ${components.join(', ')}`)

  heading('What must be refused is refused')
  const stranger = ['--certificate-identity', 'mallory@example.com', '--certificate-oidc-issuer', up.issuer]
  await refused(12, 'another person', 'verify', ...stranger, image.reference)
  const elsewhere = ['--certificate-identity', SIGNER, '--certificate-oidc-issuer', 'https://accounts.example.com']
  await refused(12, 'another issuer', 'verify', ...elsewhere, image.reference)
  const other = await pushImage(up, 'demo/app', 'Hello from another image.\n')
  await refused(10, 'another image', 'verify', ...pinned, other.reference)

  heading('Killed in the middle, started again')
  await killServer()
  await startServer(new URL(up.url).port)
  await run('verify', ...pinned, image.reference)

  await withCosign(up, image, pinned)
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  console.log(
    `\n${green(bold('Done'))} in ${seconds} s. Everything is deleted again. Your own: ${cyan('bin/countersign up')}\n`,
  )
}

async function withCosign(up, image, pinned) {
  heading('Real cosign agrees')
  const program = findProgram('cosign', 'cosign3')
  if (program === undefined) {
    say(dim('no cosign on PATH, so this is left out'))
    return
  }
  const other = { program, env: { TUF_ROOT: join(folder, 'cosign') } }
  await runAs(other, ['initialize', '--mirror', up.tuf.mirror, '--root', up.tuf.root])
  await runAs(other, ['verify', ...pinned, image.reference])
  await runAs(other, ['verify-attestation', '--type', 'cyclonedx', ...pinned, image.reference])
}

/** Starts `countersign up` and waits for the line that tells where everything is. */
async function startServer(port = '0') {
  const args = ['up', '--data', join(folder, 'sigstore'), '--port', port, '--output', 'json']
  const started = performance.now()
  const child = spawn(countersign, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  server = { child, gone: new Promise((resolve) => child.once('exit', resolve)) }
  const line = await new Promise((resolve, reject) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) resolve(text.split('\n')[0])
    })
    child.once('exit', () => reject(new Error('the server did not start')))
  })
  command('countersign', ['up', '--data', 'DIR'], started)
  return JSON.parse(line)
}

async function stopServer() {
  server.child.kill('SIGTERM')
  await server.gone
}

async function killServer() {
  server.child.kill('SIGKILL')
  await server.gone
  say(dim('kill -9'))
}

function run(...args) {
  return runAs({ program: countersign }, args)
}

/** Runs a command that must succeed, and shows it with its time. */
async function runAs(tool, args) {
  const { code, stdout, stderr, started } = await execute(tool, args)
  command(tool.program.split('/').pop(), args, started)
  if (code !== 0) throw new Error(`exit code ${code}\n${stderr}`)
  return { stdout }
}

/** Runs a command that must fail with this exit code. */
async function refused(expected, why, ...args) {
  const { code, stdout, stderr, started } = await execute({ program: countersign }, args)
  command('countersign', args, started)
  expect(code === expected, `it should have been refused with exit code ${expected}, not ${code}\n${stderr}`)
  expect(stdout === '', 'something unverified reached standard output')
  say(`${red('refused')}: ${why} ${dim(`(exit code ${code})`)}`)
}

function execute({ program, env: extra = {} }, args) {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...env, ...extra }, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'])
      child[name].setEncoding('utf8').on('data', (text) => (output[name] += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, started, ...output }))
  })
}

/** An image from nothing: one layer with one file, a config, a manifest; pushed with the registry's own protocol. */
async function pushImage(up, name, message) {
  const tar = tarOf('hello.txt', message)
  const layer = gzipSync(tar)
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['/hello.txt'] },
      rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    }),
  )
  const blobs = [
    { mediaType: 'application/vnd.oci.image.config.v1+json', content: config },
    { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', content: layer },
  ]
  for (const { content } of blobs) {
    await http(
      'POST',
      `${up.url}/v2/${name}/blobs/uploads/?digest=${digestOf(content)}`,
      content,
      'application/octet-stream',
    )
  }
  const [first, ...rest] = blobs.map(({ mediaType, content }) => ({
    mediaType,
    digest: digestOf(content),
    size: content.length,
  }))
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config: first, layers: rest }))
  const digest = digestOf(manifest)
  await http('PUT', `${up.url}/v2/${name}/manifests/${digest}`, manifest, mediaType)
  const bytes = manifest.length + blobs.reduce((sum, { content }) => sum + content.length, 0)
  return { reference: `${up.registry}/${name}@${digest}`, digest, bytes, blobs: blobs.length }
}

/** A tar archive with one file (POSIX ustar). */
function tarOf(name, text) {
  const content = Buffer.from(text)
  const header = Buffer.alloc(512)
  const octal = (value, length) => value.toString(8).padStart(length - 1, '0') + '\0'
  const fields = [
    [0, name],
    [100, octal(0o644, 8)],
    [108, octal(0, 8)],
    [116, octal(0, 8)],
    [124, octal(content.length, 12)],
    [136, octal(0, 12)],
  ]
  for (const [offset, value] of [...fields, [148, '        '], [156, '0'], [257, 'ustar\u000000']])
    header.write(value, offset, 'latin1')
  header.write(
    octal(
      header.reduce((sum, byte) => sum + byte, 0),
      7,
    ),
    148,
    'latin1',
  )
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512), Buffer.alloc(1024)])
}

function http(method, url, body, type) {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method, headers: { 'content-type': type, 'content-length': body.length } },
      (response) => {
        response.resume()
        if (response.statusCode === 201) resolve()
        else reject(new Error(`${method} ${url} answered ${response.statusCode}`))
      },
    )
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

function digestOf(bytes) {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

function findProgram(...names) {
  for (const name of names) {
    const found = (process.env.PATH ?? '')
      .split(delimiter)
      .map((place) => join(place, name))
      .find((path) => existsSync(path))
    if (found !== undefined) return found
  }
  return undefined
}

function expect(holds, otherwise) {
  if (!holds) throw new Error(otherwise)
}

function heading(text) {
  console.log(`\n${bold(text)}`)
}

function say(text) {
  console.log(`  ${text}`)
}

/** A command as somebody would type it, with what is long shortened, and how long it took. */
function command(program, args, started) {
  const words = args.map((arg) =>
    arg.startsWith('eyJ') ? '$TOKEN' : arg.replace(folder, '.').replace(/(sha256:[0-9a-f]{8})[0-9a-f]{56}/, '$1…'),
  )
  const millis = `${Math.round(performance.now() - started)} ms`
  console.log(`  ${cyan('$')} ${program} ${words.join(' ')} ${dim(millis)} ${green('✓')}`)
}
