/**
 * The demo: a private Sigstore on this machine, a container image signed without a key, verified against a pinned identity,
 * with a signed SBOM that is read back; the gate of a cluster that admits it, and nothing unsigned; and what must be refused is
 * refused. Everything is real, nothing is left behind.
 *
 *   node scripts/demo.mjs            (or: make demo)
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { deployment, pod, policyFor, startGate } from './demo-gate.mjs'
import { pushImage } from './demo-image.mjs'

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

  await withGate(up, image, other)

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

/** The same, asked by a cluster: one of Kyverno's policies, unchanged, and the questions that its API server has. */
async function withGate(up, signed, unsigned) {
  heading('Only what is signed gets into the cluster')
  const policy = join(folder, 'policy.yaml')
  const text = policyFor({ registry: up.registry, issuer: up.issuer, subject: SIGNER })
  writeFileSync(policy, text)
  for (const line of text.trimEnd().split('\n')) say(dim(line))
  const started = performance.now()
  const gate = await startGate({ program: countersign, folder, policy, env })
  try {
    command('countersign', ['admission', '--policy', './policy.yaml'], started)
    say(`${gate.url} answers as the API server asks: AdmissionReview over HTTPS`)
    const mutated = await asked(gate, '/mutations', pod('web', signed.tagged))
    const [written] = mutated.patch
    expect(mutated.allowed && written?.value.endsWith(signed.digest), 'the digest was not written into the pod')
    say(`the verified digest is written in: ${written.value.replace(signed.digest, bold(short(signed.digest)))}`)
    const admitted = await asked(gate, '/validations', pod('web', written.value))
    expect(admitted.allowed, `the signed image was denied: ${admitted.status?.message}`)
    const denied = await asked(gate, '/validations', pod('other', unsigned.reference))
    expect(!denied.allowed, 'an unsigned image was admitted')
    for (const line of short(denied.status.message).split('\n')) if (line.trim() !== '') say(dim(`  ${line}`))
    const above = await asked(gate, '/validations', deployment('other', unsigned.reference))
    expect(!above.allowed, 'a Deployment of an unsigned image was admitted')
    say(dim('  a rule about pods guards what makes them, too'))
  } finally {
    await gate.stop()
  }
}

async function asked(gate, path, resource) {
  const started = performance.now()
  const answer = await gate.review(path, resource)
  const [{ image }] = (resource.spec.template ?? resource).spec.containers
  const millis = dim(`${Math.round(performance.now() - started)} ms`)
  const verdict = answer.allowed ? green('admitted') : red('denied')
  say(`${cyan('POST')} ${path} ${resource.kind} ${resource.metadata.name}, ${short(image)} ${millis} ${verdict}`)
  return answer
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

function short(text) {
  return text.replace(/(sha256:[0-9a-f]{8})[0-9a-f]{56}/g, '$1…')
}

/** A command as somebody would type it, with what is long shortened, and how long it took. */
function command(program, args, started) {
  const words = args.map((arg) => (arg.startsWith('eyJ') ? '$TOKEN' : short(arg.replace(folder, '.'))))
  const millis = `${Math.round(performance.now() - started)} ms`
  console.log(`  ${cyan('$')} ${program} ${words.join(' ')} ${dim(millis)} ${green('✓')}`)
}
