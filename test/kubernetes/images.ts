/** A private Sigstore with a registry, and images in it that are signed or not, under the names that policies are written for. @module */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { must, serve, type RunOptions } from '../interop/processes.js'
import { freePort, pushImage } from '../interop/registry.js'
import { COUNTERSIGN } from './gate.js'

export interface SignedImages {
  /** Who vouches for its signers. */
  readonly issuer: string
  /** The trusted root of this Sigstore. */
  readonly trustedRoot: string
  /** Its TUF repository, as a TrustRoot names it. */
  readonly tuf: { readonly mirror: string; readonly root: string }
  /** Flags of `countersign admission` by which it trusts this Sigstore, and finds what is called `ghcr.io/…` in its registry. */
  readonly admissionFlags: readonly string[]
  /** Pushes an image `ghcr.io/name:latest`, signs it for each signer, and gives its digest. */
  push(name: string, contents: string, signers?: readonly string[]): Promise<string>
  /** Pushes an image and signs it with a key of its own, whose public half it gives in PEM. */
  pushWithKey(name: string, contents: string): Promise<KeySigned>
  /** Pushes a statement about an image, by a signer. */
  attest(name: string, digest: string, claim: Claim): Promise<void>
  stop(): Promise<void>
}

export interface KeySigned {
  readonly digest: string
  readonly publicKey: string
}

export interface Claim {
  readonly type: string
  readonly predicate: object
  readonly signer: string
}

export async function startSignedImages(): Promise<SignedImages> {
  const folder = await mkdtemp(join(tmpdir(), 'images-'))
  const data = join(folder, 'sigstore')
  const port = await freePort()
  const server = await serve(
    COUNTERSIGN,
    ['up', '--data', data, '--port', String(port), '--output', 'json'],
    (output) => (output.includes('\n') ? true : undefined),
  )
  let keys = 0
  const url = `http://localhost:${String(port)}`
  const registry = `localhost:${String(port)}`
  const options: RunOptions = { cwd: folder, env: { HOME: folder, TUF_ROOT: join(folder, 'tuf') } }
  const root = join(data, 'tuf', 'root.json')
  await must(COUNTERSIGN, ['initialize', '--mirror', `${url}/tuf`, '--root', root], options)
  const trustedRoot = join(folder, 'trusted_root.json')
  await must(COUNTERSIGN, ['trusted-root', 'create', '--with-default-services', '--out', trustedRoot], options)
  const tokenOf = async (signer: string): Promise<string> => {
    const file = join(folder, 'token')
    await writeFile(file, (await must(COUNTERSIGN, ['token', '--data', data, signer])).trim())
    return file
  }
  return {
    issuer: `${url}/oidc`,
    trustedRoot,
    tuf: { mirror: `${url}/tuf`, root: (await readFile(root)).toString('base64') },
    admissionFlags: ['--trusted-root', trustedRoot, '--mirror', `ghcr.io=${registry}`],
    push: async (name, contents, signers = []) => {
      const image = await pushImage(registry, name, contents)
      for (const signer of signers) {
        await must(COUNTERSIGN, ['sign', '--yes', '--identity-token', await tokenOf(signer), image], options)
      }
      return image.slice(image.indexOf('@') + 1)
    },
    pushWithKey: async (name, contents) => {
      const image = await pushImage(registry, name, contents)
      const env = { ...options.env, COSIGN_PASSWORD: '' }
      const prefix = `key-${String(++keys)}`
      await must(COUNTERSIGN, ['generate-key-pair', '--output-key-prefix', prefix], { ...options, env })
      await must(COUNTERSIGN, ['sign', '--yes', '--key', `${prefix}.key`, image], { ...options, env })
      const publicKey = await readFile(join(folder, `${prefix}.pub`), 'utf8')
      return { digest: image.slice(image.indexOf('@') + 1), publicKey }
    },
    attest: async (name, digest, { type, predicate, signer }) => {
      const file = join(folder, 'predicate.json')
      await writeFile(file, JSON.stringify(predicate))
      const flags = ['--yes', '--type', type, '--predicate', file, '--identity-token', await tokenOf(signer)]
      await must(COUNTERSIGN, ['attest', ...flags, `${registry}/${name}@${digest}`], options)
    },
    async stop() {
      await server.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
