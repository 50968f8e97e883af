/**
 * Signs a file with an identity token, as a program would that embeds countersign.
 *
 *   node examples/sign-file.mjs FILE TOKEN_FILE SIGNING_CONFIG TRUSTED_ROOT > FILE.sigstore.json
 *
 * Two lines in this file decide what is trusted: the trusted root, against which everything that the services return is
 * verified before the bundle is printed, and the signing config, which says where the services are.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import {
  certifiedCredential,
  fulcioAuthority,
  generatePrivateKey,
  parseSigningConfig,
  parseTrustedRoot,
  randomBytes,
  rekorLog,
  rfc3161Authority,
  selectSigningServices,
  selfCheck,
  serializeBundle,
  signContent,
  systemTimers,
} from 'countersign/sign'

const [file, tokenFile, signingConfig, trustedRoot] = process.argv.slice(2)
const clock = Date.now

const config = parseSigningConfig(await readFile(signingConfig))
const services = selectSigningServices(config, { certified: true, now: clock() })
const token = (await readFile(tokenFile, 'utf8')).trim()

const session = {
  credentials: certifiedCredential({
    signer: await generatePrivateKey('ecdsa-sha2-256-nistp256'),
    authority: fulcioAuthority(fetch, services.authority.url),
    identity: { identityToken: async () => token },
    clock,
  }),
  witnesses: {
    logs: services.logs.map((log) => rekorLog(log, { fetch, timers: systemTimers })),
    timestampAuthorities: services.timestampAuthorities.map(({ url }) =>
      rfc3161Authority(fetch, url, { random: randomBytes }),
    ),
  },
  check: selfCheck({ trust: parseTrustedRoot(await readFile(trustedRoot)), clock, published: true, witnessed: true }),
}

const { entity, entries } = await signContent(session, { kind: 'message', data: await readFile(file) })
for (const { url } of entries) console.error(`logged: ${url}`)
console.log(serializeBundle(entity))
